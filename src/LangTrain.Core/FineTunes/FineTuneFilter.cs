using LangTrain.Core.Errors;
using LangTrain.Core.Http;

namespace LangTrain.Core.FineTunes;

/// <summary>Which jobs of an account a list is to hold; everything that is given must fit. Immutable.</summary>
public sealed record FineTuneFilter
{
    private const int LongestName = 256;

    /// <summary>Status, or null for any.</summary>
    public FineTuneStatus? Status { get; init; }

    /// <summary>Model that is trained or was made, by its id or the alias that the request named.</summary>
    public string? Model { get; init; }

    /// <summary>Part of the job's name, in upper or lower case.</summary>
    public string? Name { get; init; }

    /// <summary>Made at this moment or later.</summary>
    public DateTimeOffset? CreatedFrom { get; init; }

    /// <summary>Made before this moment.</summary>
    public DateTimeOffset? CreatedBefore { get; init; }

    /// <summary>Notes that the job must have, each with this value.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Only jobs without any notes.</summary>
    public bool WithoutMetadata { get; init; }

    /// <summary>Whether anything but the status and the time is asked for, which no index answers.</summary>
    public bool NeedsLooking => Model is not null || Name is not null || Metadata.Count > 0 || WithoutMetadata;

    /// <summary>Reads <c>?status&amp;model&amp;name&amp;created_after&amp;created_before&amp;metadata[key]=value</c> (or <c>metadata=null</c>, as at OpenAI).</summary>
    /// <param name="query">All parameters of the query, each with its last value.</param>
    /// <exception cref="ApiException">400.</exception>
    public static FineTuneFilter FromRequest(IReadOnlyDictionary<string, string> query)
    {
        ArgumentNullException.ThrowIfNull(query);
        var problems = new RequestProblems();
        var filter = new FineTuneFilter
        {
            Status = ReadStatus(query, problems),
            Model = ReadText(query, "model", problems),
            Name = ReadText(query, "name", problems),
            CreatedFrom = ReadTime(query, "created_after", problems),
            CreatedBefore = ReadTime(query, "created_before", problems),
            Metadata = query.Where(pair => pair.Key.StartsWith("metadata[", StringComparison.Ordinal) && pair.Key.EndsWith(']'))
                .ToDictionary(pair => pair.Key["metadata[".Length..^1], pair => pair.Value, StringComparer.Ordinal),
            WithoutMetadata = query.TryGetValue("metadata", out var none) && none == "null",
        };
        if (none is not (null or "null"))
        {
            problems.Add("metadata", "metadata is asked for as metadata[key]=value, or as metadata=null for jobs without any.");
        }

        problems.ThrowIfAny();
        return filter;
    }

    /// <summary>Whether a job fits.</summary>
    public bool Fits(FineTune job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return (Status is null || job.Status == Status)
            && (Model is null || job.ModelId == Model || job.BaseModelId == Model || job.FineTunedModelId == Model)
            && (Name is null || job.Name?.Contains(Name, StringComparison.OrdinalIgnoreCase) == true)
            && (CreatedFrom is null || job.CreatedAt >= CreatedFrom)
            && (CreatedBefore is null || job.CreatedAt < CreatedBefore)
            && Metadata.All(note => job.Metadata.TryGetValue(note.Key, out var value) && value == note.Value)
            && (!WithoutMetadata || job.Metadata.Count == 0);
    }

    private static FineTuneStatus? ReadStatus(IReadOnlyDictionary<string, string> query, RequestProblems problems)
    {
        if (!query.TryGetValue("status", out var word))
        {
            return null;
        }

        if (FineTuneStatusWords.Find(word) is { } status)
        {
            return status;
        }

        problems.Add("status", $"status must be one of {string.Join(", ", FineTuneStatusWords.All)}, not '{ApiErrors.Shorten(word)}'.");
        return null;
    }

    private static string? ReadText(IReadOnlyDictionary<string, string> query, string key, RequestProblems problems)
    {
        if (!query.TryGetValue(key, out var text) || text.Length is > 0 and <= LongestName)
        {
            return text;
        }

        problems.Add(key, $"{key} must have 1 to {LongestName} characters.");
        return null;
    }

    private static DateTimeOffset? ReadTime(IReadOnlyDictionary<string, string> query, string key, RequestProblems problems)
    {
        if (!query.TryGetValue(key, out var text))
        {
            return null;
        }

        if (RequestTime.TryParse(text, out var moment) && moment >= DateTimeOffset.UnixEpoch)
        {
            return moment;
        }

        problems.Add(key, $"{key} must be seconds since 1970 or a moment such as 2030-01-31T00:00:00Z, not '{ApiErrors.Shorten(text)}'.");
        return null;
    }
}
