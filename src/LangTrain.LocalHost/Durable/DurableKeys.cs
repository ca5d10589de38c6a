using System.Globalization;
using System.Text;

namespace LangTrain.LocalHost.Durable;

/// <summary>Keys of the durable table. An instance is a partition: its row, its history and its inbox change together in one transaction.</summary>
internal static class DurableKeys
{
    public const string Instance = "instance";
    public const string HistoryPrefix = "h:";
    public const string InboxPrefix = "m:";

    /// <summary>The start message comes before every other.</summary>
    public const string StartMessage = "m:00000000000000000000";

    /// <summary>Partition of an instance; characters that keys must not have are written as their number.</summary>
    public static string Partition(string instanceId)
    {
        var key = new StringBuilder(instanceId.Length);
        foreach (var letter in instanceId)
        {
            _ = char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.'
                ? key.Append(letter)
                : key.Append(CultureInfo.InvariantCulture, $"~{(int)letter:x4}");
        }

        return key.ToString();
    }

    /// <summary>Row of a turn.</summary>
    public static string Turn(int generation, int index) => string.Create(CultureInfo.InvariantCulture, $"{Turns(generation)}{index:D8}");

    /// <summary>Begins the rows of a generation's turns.</summary>
    public static string Turns(int generation) => string.Create(CultureInfo.InvariantCulture, $"{HistoryPrefix}{generation:D8}:");

    /// <summary>Row of a message; sorts by its number. The tail keeps it apart from a message of another process.</summary>
    public static string Message(long number) => string.Create(CultureInfo.InvariantCulture, $"{InboxPrefix}{number:D20}:{Guid.NewGuid():N}");

    /// <summary>The number in a message's row.</summary>
    public static long Number(string rowKey) => long.Parse(rowKey.AsSpan(InboxPrefix.Length, 20), CultureInfo.InvariantCulture);
}
