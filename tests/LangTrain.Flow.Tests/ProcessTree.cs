namespace LangTrain.Flow.Tests;

/// <summary>Who started whom, as the system's process table says (Linux).</summary>
internal static class ProcessTree
{
    public static IReadOnlyList<int> Children(int parent) =>
        [.. Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(name => int.Parse(name!))
            .Where(id => ParentOf(id) == parent)];

    public static bool IsAlive(int processId) => ParentOf(processId) is not null;

    /// <summary>The command line, arguments separated by spaces.</summary>
    public static string CommandOf(int processId)
    {
        try
        {
            return File.ReadAllText($"/proc/{processId}/cmdline").Replace('\0', ' ');
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static int? ParentOf(int processId)
    {
        try
        {
            // "id (name) state parent …", and the name may hold spaces and brackets. A zombie has ended.
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] == "Z" ? null : int.Parse(fields[1], null);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
