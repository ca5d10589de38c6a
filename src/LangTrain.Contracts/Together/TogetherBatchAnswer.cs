namespace LangTrain.Contracts.Together;

/// <summary>A batch, as the together-ai client reads it.</summary>
public sealed record TogetherBatchAnswer
{
    /// <summary><c>batch_…</c></summary>
    public required string Id { get; init; }

    /// <summary><c>VALIDATING</c>, <c>IN_PROGRESS</c>, <c>COMPLETED</c>, <c>FAILED</c>, <c>EXPIRED</c> or <c>CANCELLED</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Where each line goes.</summary>
    public required string Endpoint { get; init; }

    /// <summary>The file of requests.</summary>
    public required string InputFileId { get; init; }

    /// <summary>The file of good answers, once there is one.</summary>
    public string? OutputFileId { get; init; }

    /// <summary>The file of lines that were not answered, once there is one.</summary>
    public string? ErrorFileId { get; init; }

    /// <summary>What is wrong with the file of requests, when failed.</summary>
    public string? Error { get; init; }

    /// <summary>Lines that have ended, percent.</summary>
    public required double Progress { get; init; }

    /// <summary>The account.</summary>
    public required string UserId { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When what is not answered is given up, UTC.</summary>
    public required DateTimeOffset JobDeadline { get; init; }

    /// <summary>When it completed, UTC.</summary>
    public DateTimeOffset? CompletedAt { get; init; }
}

/// <summary>A batch that was just made.</summary>
/// <param name="Job">The batch.</param>
public sealed record TogetherBatchCreatedAnswer(TogetherBatchAnswer Job);
