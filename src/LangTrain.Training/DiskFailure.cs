using System.Text.RegularExpressions;

namespace LangTrain.Training;

/// <summary>Says what went wrong with a file in words for a run's owner, who knows the file's name and not where this machine has it. Stateless.</summary>
public static partial class DiskFailure
{
    // .NET gives the system's error number: ENOSPC, EDQUOT; and its own for a file that was to have its whole size at once.
    private const int NoSpace = 28, OverQuota = 122, NoSpaceForSize = unchecked((int)0x80070070);

    /// <summary>Whether there was no room for it.</summary>
    public static bool IsFull(Exception failure) => failure is IOException { HResult: NoSpace or OverQuota or NoSpaceForSize };

    /// <summary>One sentence, without folders: what is wrong, and with which file.</summary>
    public static string Describe(Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        var file = QuotedPath().Match(failure.Message) is { Success: true } found ? FileName(found.Groups[1].Value) : null;
        return IsFull(failure)
            ? file is null ? "The worker's disk is full." : $"The worker's disk is full: there was no room for '{file}'."
            : QuotedPath().Replace(failure.Message, match => $"'{FileName(match.Groups[1].Value)}'");
    }

    // Files are written under another name until they are whole.
    private static string FileName(string path) => TemporaryEnd().Replace(Path.GetFileName(path.TrimEnd('/', '\\')), "");

    [GeneratedRegex("'((?:/|[A-Za-z]:\\\\)[^']*)'")]
    private static partial Regex QuotedPath();

    [GeneratedRegex(@"\.[0-9a-f]{32}\.tmp$")]
    private static partial Regex TemporaryEnd();
}
