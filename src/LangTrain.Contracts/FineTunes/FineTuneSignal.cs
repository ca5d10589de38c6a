namespace LangTrain.Contracts.FineTunes;

/// <summary>Wakes a fine-tune's orchestration: what became of an attempt, or that somebody asked for a change.</summary>
/// <remarks>
/// Message of the queue <c>training-events</c> and payload of the external event <see cref="EventName"/>. Delivered at least once and
/// perhaps late: the orchestration compares <see cref="Attempt"/> with its own and treats the job's row as the truth.
/// </remarks>
public sealed record FineTuneSignal
{
    /// <summary>Name of the external event.</summary>
    public const string EventName = "fine-tune-signal";

    /// <summary>Owner of the job.</summary>
    public required string AccountId { get; init; }

    /// <summary>The job.</summary>
    public required string JobId { get; init; }

    /// <summary>What happened.</summary>
    public required FineTuneSignalKind Kind { get; init; }

    /// <summary>The attempt it is about; 0 for <see cref="FineTuneSignalKind.ControlRequested"/>.</summary>
    public int Attempt { get; init; }

    /// <summary>The lease under which the worker speaks; 0 for <see cref="FineTuneSignalKind.ControlRequested"/>.</summary>
    public long LeaseToken { get; init; }

    /// <summary>What was made, with <see cref="FineTuneSignalKind.Succeeded"/>.</summary>
    public TrainingOutcome? Outcome { get; init; }

    /// <summary>Why, with <see cref="FineTuneSignalKind.Failed"/>.</summary>
    public JobError? Error { get; init; }

    /// <summary>With <see cref="FineTuneSignalKind.Failed"/>: whether another attempt could succeed (a system error, not the user's).</summary>
    public bool Retryable { get; init; }

    /// <summary>The job's key.</summary>
    public FineTuneRef Ref() => new(AccountId, JobId);
}
