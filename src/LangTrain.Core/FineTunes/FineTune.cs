using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Models;

namespace LangTrain.Core.FineTunes;

/// <summary>A fine-tune as its row holds it: the one truth about a job. Immutable; changed by <c>with</c> and an ETag write.</summary>
public sealed record FineTune
{
    /// <summary><c>ftjob-…</c>, sortable by time of creation.</summary>
    public required string Id { get; init; }

    /// <summary>Owner.</summary>
    public required string AccountId { get; init; }

    /// <summary>The key that asked for it, to whose usage it counts; empty in rows of the first version.</summary>
    public string KeyId { get; init; } = "";

    /// <summary>Name the owner gave, or null.</summary>
    public string? Name { get; init; }

    /// <summary>The model as the request named it (perhaps an alias).</summary>
    public required string ModelId { get; init; }

    /// <summary>Id of the model that is trained, aliases resolved.</summary>
    public required string BaseModelId { get; init; }

    /// <summary>Where its files lie.</summary>
    public required ModelSource BaseModel { get; init; }

    /// <summary>The adapter with whose weights training begins, where the request named a fine-tuned model; null begins anew.</summary>
    public ModelSource? StartAdapter { get; init; }

    /// <summary>What the request named as data.</summary>
    public required DatasetReference Dataset { get; init; }

    /// <summary>The data once checked, or null before.</summary>
    public PreparedDataset? Prepared { get; init; }

    /// <summary>How to train, every default filled in.</summary>
    public required FineTuneConfig Config { get; init; }

    /// <summary>Last part of the trained model's id, or null.</summary>
    public string? Suffix { get; init; }

    /// <summary>The owner's own notes, at most 16.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Where it stands.</summary>
    public FineTuneStatus Status { get; init; }

    /// <summary>What the owner asked for and nobody has done yet.</summary>
    public FineTuneControl Requested { get; init; }

    /// <summary>Attempts queued so far.</summary>
    public int Attempt { get; init; }

    /// <summary>Attempts that ended by a lost worker or a system error; three end the job.</summary>
    public int Failures { get; init; }

    /// <summary>The worker at it; the token stays (and goes on rising) when the worker is gone.</summary>
    public FineTuneLease? Lease { get; init; }

    /// <summary>How far the training is.</summary>
    public FineTuneProgress Progress { get; init; } = new();

    /// <summary>What was made, when completed.</summary>
    public TrainingOutcome? Outcome { get; init; }

    /// <summary>Id of the model that was made, when completed.</summary>
    public string? FineTunedModelId { get; init; }

    /// <summary>File with the numbers of its steps, when completed; null of jobs that ended before there were such files.</summary>
    public string? ResultFileId { get; init; }

    /// <summary>Why it failed, when failed.</summary>
    public JobError? Error { get; init; }

    /// <summary>Counts the changes of status; names their events (<c>status-{revision}</c>).</summary>
    public int Revision { get; init; }

    /// <summary>
    /// Events that belong to the last change of status. They are written with the row and appended to the log after it, again by
    /// whoever comes next if the first died in between; the log drops what it has.
    /// </summary>
    public IReadOnlyList<JobEventDraft> PendingEvents { get; init; } = [];

    /// <summary>W3C trace context of the request that made it; every later step joins that trace. Null where nobody traced.</summary>
    public string? TraceParent { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the first attempt began, UTC.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The job's key.</summary>
    public FineTuneRef Ref() => new(AccountId, Id);
}
