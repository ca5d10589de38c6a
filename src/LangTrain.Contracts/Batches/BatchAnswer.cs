using System.Text.Json.Serialization;

namespace LangTrain.Contracts.Batches;

/// <summary>A batch as it is shown, in OpenAI's shape. All times are seconds since 1970, null while they have not come.</summary>
public sealed record BatchAnswer
{
    /// <summary><c>batch-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>batch</c>.</summary>
    public string Object { get; init; } = "batch";

    /// <summary>Where each line goes: <c>/v1/chat/completions</c> or <c>/v1/completions</c>.</summary>
    public required string Endpoint { get; init; }

    /// <summary>What was wrong with the input file, when <c>failed</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public BatchErrors? Errors { get; init; }

    /// <summary>The file of requests.</summary>
    public required string InputFileId { get; init; }

    /// <summary>Always <c>24h</c>.</summary>
    public required string CompletionWindow { get; init; }

    /// <summary><c>validating</c>, <c>in_progress</c>, <c>finalizing</c>, <c>completed</c>, <c>failed</c>, <c>expired</c>, <c>cancelling</c>, <c>cancelled</c>.</summary>
    public required string Status { get; init; }

    /// <summary>The file of good answers, once there is one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? OutputFileId { get; init; }

    /// <summary>The file of lines that were not answered, once there is one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? ErrorFileId { get; init; }

    /// <summary>When it was made.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>When the input was found good.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? InProgressAt { get; init; }

    /// <summary>When what is not answered by then is given up.</summary>
    public required long ExpiresAt { get; init; }

    /// <summary>When the last line ended.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? FinalizingAt { get; init; }

    /// <summary>When it completed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? CompletedAt { get; init; }

    /// <summary>When it failed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? FailedAt { get; init; }

    /// <summary>When it expired.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? ExpiredAt { get; init; }

    /// <summary>When its owner cancelled it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? CancellingAt { get; init; }

    /// <summary>When that was done.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? CancelledAt { get; init; }

    /// <summary>Lines.</summary>
    public required BatchRequestCounts RequestCounts { get; init; }

    /// <summary>The owner's notes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Tokens of the lines that have ended.</summary>
    public BatchUsage? Usage { get; init; }
}

/// <summary>What was wrong with an input file.</summary>
/// <param name="Data">At most 100 problems.</param>
public sealed record BatchErrors(IReadOnlyList<BatchProblem> Data)
{
    /// <summary>Always <c>list</c>.</summary>
    public string Object { get; init; } = "list";
}

/// <summary>One problem of an input file.</summary>
/// <param name="Code">A stable word: <c>invalid_json_line</c>, <c>duplicate_custom_id</c>, …</param>
/// <param name="Message">For people.</param>
/// <param name="Param">The key at fault, or null.</param>
/// <param name="Line">From 1; null where it is the file as a whole.</param>
public sealed record BatchProblem(
    string Code,
    string Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] long? Line = null);

/// <summary>Lines of a batch.</summary>
/// <param name="Total">All; 0 while the input is being checked.</param>
/// <param name="Completed">Answered.</param>
/// <param name="Failed">Ended with an error.</param>
public sealed record BatchRequestCounts(int Total, int Completed, int Failed);

/// <summary>Tokens of a batch.</summary>
/// <param name="InputTokens">Of the prompts.</param>
/// <param name="OutputTokens">Made.</param>
/// <param name="TotalTokens">Both together.</param>
public sealed record BatchUsage(long InputTokens, long OutputTokens, long TotalTokens);
