namespace LangTrain.Contracts.FineTunes;

/// <summary>Asks a worker to run one attempt of a fine-tune or of a model task. All facts stand on the job's row; the message only names it.</summary>
/// <remarks>
/// Delivered at least once. A worker that cannot claim the row for this attempt (see the lease on the row) drops the message.
/// </remarks>
/// <param name="AccountId">Owner of the job.</param>
/// <param name="JobId">The job.</param>
/// <param name="Attempt">Attempt number, from 1. A message of an older attempt is stale.</param>
/// <param name="TraceParent">W3C trace context of the orchestration, or null.</param>
public sealed record TrainModelWorkItem(string AccountId, string JobId, int Attempt, string? TraceParent = null)
{
    /// <summary><see cref="Kind"/> of a message that names a model task (the check of an upload, an export) as its job.</summary>
    public const string ModelTask = "model-task";

    /// <summary>What is named; null is a fine-tune, as in every message before there was anything else.</summary>
    public string? Kind { get; init; }

    /// <summary>The job's key.</summary>
    public FineTuneRef Ref() => new(AccountId, JobId);
}
