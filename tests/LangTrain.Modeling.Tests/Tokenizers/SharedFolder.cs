using System.Text.Json;

namespace LangTrain.Modeling.Tests.Tokenizers;

/// <summary>The reference cases beside the repository; tests that need them skip visibly where they are not.</summary>
internal static class SharedFolder
{
    /// <summary>A folder under <c>../shared</c>.</summary>
    public static string Require(params string[] parts)
    {
        var path = Find(parts);
        if (path is null) Assert.Skip($"../shared/{string.Join('/', parts)} is not beside the repository.");
        return path;
    }

    /// <summary>Names of the folders in <c>../shared/…</c>; one placeholder that makes the test skip where there are none.</summary>
    public static IEnumerable<TheoryDataRow<string>> Names(string parent) =>
        Find(parent) is { } path ? Directory.GetDirectories(path).Order(StringComparer.Ordinal).Select(folder => new TheoryDataRow<string>(Path.GetFileName(folder))) : [new TheoryDataRow<string>("absent")];

    public static JsonElement[] Cases(string folder)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "cases.json")));
        return [.. json.RootElement.EnumerateArray().Select(element => element.Clone())];
    }

    private static string? Find(params string[] parts)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "global.json"))) continue;
            var path = Path.Combine([folder.FullName, "..", "shared", .. parts]);
            return Directory.Exists(path) ? Path.GetFullPath(path) : null;
        }
        return null;
    }
}
