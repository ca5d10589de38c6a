using LangTrain.Contracts.FineTunes;

namespace LangTrain.Functions.FineTunes;

/// <summary>Input of the orchestration: the job, and where an earlier piece of the same run got to. Stored in histories.</summary>
/// <param name="AccountId">Owner.</param>
/// <param name="JobId">The job.</param>
/// <param name="IsPrepared">Whether the data was checked.</param>
/// <param name="SentAttempt">The attempt for which a work item was sent last, 0 before the first.</param>
public sealed record FineTuneRun(string AccountId, string JobId, bool IsPrepared = false, int SentAttempt = 0)
{
    /// <summary>The job's key.</summary>
    public FineTuneRef Ref() => new(AccountId, JobId);
}

/// <summary>Input of the activity that queues.</summary>
/// <param name="Job">The job.</param>
/// <param name="SentAttempt">The attempt for which a work item was sent last.</param>
public sealed record QueueTrainingInput(FineTuneRef Job, int SentAttempt);

/// <summary>Input of the activity that settles.</summary>
/// <param name="Job">The job.</param>
/// <param name="Signal">What was heard; null when the wait was over.</param>
/// <param name="SentAttempt">The attempt for which a work item was sent last.</param>
public sealed record SettleFineTuneInput(FineTuneRef Job, FineTuneSignal? Signal, int SentAttempt);

/// <summary>Input of the activity that fails a job.</summary>
/// <param name="Job">The job.</param>
/// <param name="Error">What its owner is told.</param>
public sealed record FailFineTuneInput(FineTuneRef Job, JobError Error);
