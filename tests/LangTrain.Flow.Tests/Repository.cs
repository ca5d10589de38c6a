namespace LangTrain.Flow.Tests;

/// <summary>Places that these tests look at.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>A file or folder beside the repository that some machines have, or null.</summary>
    public static string? Shared(string path)
    {
        var full = Path.GetFullPath(Path.Combine(Root, "..", "shared", path));
        return Path.Exists(full) ? full : null;
    }

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "LangTrain.Functions.sln")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException("These tests run from inside the repository.");
    }
}
