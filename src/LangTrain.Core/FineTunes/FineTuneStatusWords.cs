using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>The words of <see cref="FineTuneStatus"/> on the wire.</summary>
public static class FineTuneStatusWords
{
    private static readonly Dictionary<FineTuneStatus, string> Words =
        Enum.GetValues<FineTuneStatus>().ToDictionary(status => status, status => status.ToString().ToLowerInvariant());

    /// <summary>All words, in the order of a job's life.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Words.Values];

    /// <summary>The word of a status.</summary>
    public static string Word(this FineTuneStatus status) => Words[status];

    /// <summary>Whether an event is the last of its job's log: the one that tells of its end.</summary>
    /// <param name="type">Of the event.</param>
    /// <param name="word">Status that it tells of, if any.</param>
    public static bool IsEnd(string type, string? word) =>
        type == JobEventTypes.Status && word is not null && Find(word) is { } status && FineTuneStateMachine.IsTerminal(status);

    /// <summary>The status of a word, or null.</summary>
    public static FineTuneStatus? Find(string word)
    {
        foreach (var (status, known) in Words)
        {
            if (known == word)
            {
                return status;
            }
        }

        return null;
    }
}
