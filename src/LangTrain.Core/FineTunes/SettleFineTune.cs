using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Observability;

namespace LangTrain.Core.FineTunes;

/// <summary>Looks at a job after a signal, or after a while without one, and moves it on. Thread-safe.</summary>
/// <remarks>
/// The row is the truth and a signal only wakes: one that does not fit the row's attempt and lease (a worker that was thought lost, a message
/// that came twice) changes nothing. Run again after a crash anywhere inside, it ends where it would have.
/// </remarks>
public sealed class SettleFineTune(
    ChangeFineTune change, IFineTuneStore store, RegisterFineTunedModel register, WriteResultFile writeResult, FineTuneOptions options, TimeProvider time)
{
    /// <summary>Moves the job on.</summary>
    /// <param name="job">The job.</param>
    /// <param name="signal">What was heard, or null when the wait was over.</param>
    /// <param name="sentAttempt">The attempt for which the orchestration last sent a work item, 0 before the first.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<SettledFineTune> ExecuteAsync(
        FineTuneRef job, FineTuneSignal? signal, int sentAttempt, CancellationToken cancellation = default)
    {
        var row = signal is { Kind: FineTuneSignalKind.Succeeded, Outcome: { } outcome }
            ? await CompleteAsync(job, signal, outcome, cancellation)
            : (await change.ExecuteAsync(job, current => FineTuneRules.Decide(current, signal, time.GetUtcNow(), options), cancellation))?.Value;
        return row is null ? new SettledFineTune(FineTuneStep.Done) : Next(row, sentAttempt);
    }

    // Model and result file first, then the row that names them: who reads "completed" can generate. All is done again if this dies in between.
    private async Task<FineTune?> CompleteAsync(FineTuneRef job, FineTuneSignal signal, TrainingOutcome outcome, CancellationToken cancellation)
    {
        var row = await store.FindAsync(job, cancellation);
        using var span = row is null ? null : JobTrace.Start("register", row.Value);
        string? modelId = null, resultFileId = null;
        if (row is not null && FineTuneRules.IsFromHolder(row.Value, signal) && row.Value.Requested != FineTuneControl.Cancel)
        {
            modelId = await register.ExecuteAsync(row.Value, outcome, cancellation);
            resultFileId = modelId is null ? null : await writeResult.ExecuteAsync(row.Value, cancellation);
        }

        var changed = await change.ExecuteAsync(job, current =>
        {
            if (!FineTuneRules.IsFromHolder(current, signal))
            {
                return FineTuneRules.Decide(current, null, time.GetUtcNow(), options);
            }

            // A cancel that was taken is kept, also when the worker had ended before it heard of it; what was made goes with the job's end.
            return current.Requested == FineTuneControl.Cancel ? FineTuneRules.StopAsRequested(current) : modelId is null
                ? FineTuneRules.Decide(current, signal with { Kind = FineTuneSignalKind.Failed, Retryable = true }, time.GetUtcNow(), options)
                : new FineTuneChange(Completed(current, outcome, modelId, resultFileId), new JobLine($"The model '{modelId}' is ready."));
        }, cancellation);
        return changed?.Value;
    }

    private static FineTune Completed(FineTune job, TrainingOutcome outcome, string modelId, string? resultFileId) => job with
    {
        Status = FineTuneStatus.Completed,
        Outcome = outcome,
        FineTunedModelId = modelId,
        ResultFileId = resultFileId,
        Progress = job.Progress with
        {
            CurrentStep = outcome.Steps,
            TotalSteps = Math.Max(outcome.Steps, job.Progress.TotalSteps),
            TrainLoss = outcome.TrainLoss,
            EvalLoss = outcome.EvalLoss ?? job.Progress.EvalLoss,
            EvalTokenAccuracy = outcome.EvalTokenAccuracy ?? job.Progress.EvalTokenAccuracy,
            TrainedTokens = outcome.TrainedTokens,
            EtaSeconds = null,
        },
    };

    private SettledFineTune Next(FineTune job, int sentAttempt)
    {
        if (FineTuneStateMachine.IsTerminal(job.Status))
        {
            return new SettledFineTune(FineTuneStep.Done);
        }

        if (job.Status == FineTuneStatus.Queued && job.Attempt > sentAttempt)
        {
            return new SettledFineTune(FineTuneStep.Queue);
        }

        var wait = job.Status == FineTuneStatus.Paused ? options.PausedWatchInterval : options.WatchInterval;
        if (job.Status == FineTuneStatus.Running && job.Lease is { } lease && lease.ExpiresAt - time.GetUtcNow() is var left && left > wait)
        {
            wait = left;
        }

        return new SettledFineTune(FineTuneStep.Wait, wait.TotalSeconds);
    }
}
