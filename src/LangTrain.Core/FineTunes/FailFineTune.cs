using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>Ends a job with an error, when the service itself could not go on with it. Thread-safe.</summary>
public sealed class FailFineTune(ChangeFineTune change)
{
    /// <summary>Ends the job, unless it has ended.</summary>
    public Task ExecuteAsync(FineTuneRef job, JobError error, CancellationToken cancellation = default) => change.ExecuteAsync(
        job, row => FineTuneStateMachine.IsTerminal(row.Status) ? null : FineTuneRules.Fail(row, error), cancellation);
}
