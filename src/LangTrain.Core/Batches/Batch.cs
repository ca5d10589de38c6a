using LangTrain.Contracts.Batches;

namespace LangTrain.Core.Batches;

/// <summary>A batch of requests as its row holds it: the one truth about it. Immutable; changed by <c>with</c> and an ETag write.</summary>
public sealed record Batch
{
    /// <summary><c>batch-…</c>, sortable by time of creation.</summary>
    public required string Id { get; init; }

    /// <summary>Owner.</summary>
    public required string AccountId { get; init; }

    /// <summary>The key that made it; its lines are counted under it.</summary>
    public required string KeyId { get; init; }

    /// <summary>Where each line goes; one of <see cref="BatchRequest.Endpoints"/>.</summary>
    public required string Endpoint { get; init; }

    /// <summary>The file of requests.</summary>
    public required string InputFileId { get; init; }

    /// <summary>The owner's own notes, at most 16.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>How long the files of answers are kept; null is for ever.</summary>
    public TimeSpan? OutputLifetime { get; init; }

    /// <summary>Where it stands.</summary>
    public BatchStatus Status { get; init; }

    /// <summary>Lines, once the input was checked.</summary>
    public int Total { get; init; }

    /// <summary>Chunks that the lines were cut into.</summary>
    public int Chunks { get; init; }

    /// <summary>The chunk at work; all before it have ended.</summary>
    public int NextChunk { get; init; }

    /// <summary>What the chunks before <see cref="NextChunk"/> came to.</summary>
    public BatchTally Ended { get; init; } = new();

    /// <summary>What the chunk at work has come to so far.</summary>
    public BatchTally Current { get; init; } = new();

    /// <summary>What is wrong with the input, when failed.</summary>
    public IReadOnlyList<BatchProblem> Problems { get; init; } = [];

    /// <summary>The file of good answers.</summary>
    public string? OutputFileId { get; init; }

    /// <summary>The file of the others.</summary>
    public string? ErrorFileId { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When what is not answered is given up, UTC.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>UTC.</summary>
    public DateTimeOffset? InProgressAt { get; init; }

    /// <summary>UTC.</summary>
    public DateTimeOffset? FinalizingAt { get; init; }

    /// <summary>UTC.</summary>
    public DateTimeOffset? CancellingAt { get; init; }

    /// <summary>When it ended, however it did, UTC.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Its key.</summary>
    public BatchRef Ref() => new(AccountId, Id);
}

/// <summary>What became of some lines.</summary>
/// <param name="Completed">Answered.</param>
/// <param name="Failed">Ended with an error.</param>
/// <param name="InputTokens">Tokens of their prompts.</param>
/// <param name="OutputTokens">Tokens made.</param>
public sealed record BatchTally(int Completed = 0, int Failed = 0, long InputTokens = 0, long OutputTokens = 0)
{
    /// <summary>Both together.</summary>
    public static BatchTally operator +(BatchTally x, BatchTally y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        return new(x.Completed + y.Completed, x.Failed + y.Failed, x.InputTokens + y.InputTokens, x.OutputTokens + y.OutputTokens);
    }
}
