namespace LangTrain.Architecture.Tests;

/// <summary>The checkout these tests run in, found from the test's own folder.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>Files below a folder, build outputs and restored packages left out, as paths relative to the root with slashes.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.Exists(PathOf(folder))
            ? Directory.EnumerateFiles(PathOf(folder), pattern, SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
                .Where(file => !file.Split('/').Any(part => part is "bin" or "obj" or "node_modules" or ".git"))
            : [];

    public static string Read(string relative) => File.ReadAllText(PathOf(relative));

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
