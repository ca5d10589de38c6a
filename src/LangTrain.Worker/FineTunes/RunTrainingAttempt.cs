using System.Diagnostics;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models;
using LangTrain.Core.Observability;
using LangTrain.Core.Storage;

namespace LangTrain.Worker.FineTunes;

/// <summary>One attempt of a fine-tune: claim, fetch, train, store, tell. The way through the worker in one piece.</summary>
/// <remarks>
/// Safe to die at any line. Before the claim the message comes again; after it the lease runs out and the service queues the next attempt,
/// which goes on from the newest stored checkpoint, or, where the result was stored already, only tells of it.
/// </remarks>
internal sealed class RunTrainingAttempt(
    IFineTuneStore store,
    ChangeFineTune change,
    IJobEventLog log,
    IJobRelay relay,
    IWorkQueue<FineTuneSignal> signals,
    BlobFolder folders,
    TrainFineTune train,
    ArtifactStore artifacts,
    CheckpointModels checkpointModels,
    WorkerOptions options,
    TimeProvider time,
    ILogger<RunTrainingAttempt> logger)
{
    /// <summary>Runs the attempt to its end; returns without a word when the job no longer waits for it.</summary>
    /// <param name="item">Which attempt.</param>
    /// <param name="deleteMessage">Ends the message; called once the claim stands or the message is stale.</param>
    /// <param name="stopping">Set when this process must go: the job is checkpointed and given back.</param>
    public async Task ExecuteAsync(TrainModelWorkItem item, Func<Task> deleteMessage, CancellationToken stopping)
    {
        using var scope = logger.OfJob(item.JobId);

        // 1. Claim: from here on the row carries this worker's token.
        var claimed = await ClaimAsync(item, CancellationToken.None);
        await EndMessageAsync(deleteMessage, item);
        if (claimed is null)
        {
            logger.StaleMessage(item.Attempt, item.JobId);
            return;
        }

        using var span = JobTrace.Start("train", claimed.Value, ActivityKind.Consumer, item.TraceParent);
        logger.AttemptBegins(item.Attempt, item.JobId);
        await using var lease = new JobLease(store, claimed, options.LeaseTime, time, logger);
        await using var reporter = new JobEventReporter(log, relay, item.Ref(), item.Attempt, time, logger);
        await using var release = stopping.Register(lease.RequestRelease);
        var scratch = Path.Combine(options.ScratchDirectory, "jobs", item.JobId);
        DeleteFolder(scratch);
        try
        {
            // 2. Train, unless an attempt that died after storing its result has done it.
            var outcome = await artifacts.FindFinishedAsync(item.Ref(), CancellationToken.None);
            if (outcome is null)
            {
                await using var checkpoints = new CheckpointUploader(folders, options.Names.CheckpointsContainer, item.Ref(), reporter, lease, checkpointModels, logger);
                var result = await train.ExecuteAsync(lease, reporter, checkpoints, scratch);
                await checkpoints.CompleteAsync(CancellationToken.None);
                if (result.Outcome == Training.TrainingOutcome.Completed && lease.Reason != StopReason.LeaseLost)
                {
                    // 3. Store the result; its manifest comes last.
                    reporter.Log("info", "Storing the trained model.");
                    outcome = await artifacts.StoreAsync(lease.Job, lease.Token, result, CancellationToken.None);
                }
            }

            // 4. Tell. A finished result counts even when a pause or a cancel came while it was stored.
            await TellAsync(lease, reporter, item, outcome is not null
                ? Signal(item, lease, FineTuneSignalKind.Succeeded) with { Outcome = outcome }
                : Signal(item, lease, lease.Reason == StopReason.Paused ? FineTuneSignalKind.Paused : FineTuneSignalKind.Released));
        }
        catch (OperationCanceledException) when (lease.Reason is StopReason.Cancelled or StopReason.LeaseLost)
        {
            await TellAsync(lease, reporter, item, Signal(item, lease, FineTuneSignalKind.Cancelled));
        }
        catch (Exception failure)
        {
            logger.AttemptFailed(failure, item.Attempt, item.JobId);
            span.Fail(failure);
            var (error, retryable) = TrainingFailures.Describe(failure);
            await TellAsync(lease, reporter, item, Signal(item, lease, FineTuneSignalKind.Failed) with { Error = error, Retryable = retryable });
        }
        finally
        {
            DeleteFolder(scratch);
        }
    }

    /// <summary>A message that cannot be deleted comes again and is found stale; the job it led to must not wait for that until its lease runs out.</summary>
    private async Task EndMessageAsync(Func<Task> deleteMessage, TrainModelWorkItem item)
    {
        try
        {
            await deleteMessage();
        }
        catch (Exception failure)
        {
            logger.MessageStays(failure, item.Attempt, item.JobId);
        }
    }

    /// <summary>Takes the job if it still waits for this attempt; null otherwise.</summary>
    private async Task<Versioned<FineTune>?> ClaimAsync(TrainModelWorkItem item, CancellationToken cancellation)
    {
        // The row comes back whether it was changed or not, and after a lost race the change is decided again: the last decision counts.
        var taken = false;
        var row = await change.ExecuteAsync(
            item.Ref(),
            job =>
            {
                taken = job.Status == FineTuneStatus.Queued && job.Attempt == item.Attempt && job.Requested == FineTuneControl.None;
                return !taken ? null : job with
                {
                    Status = FineTuneStatus.Running,
                    StartedAt = job.StartedAt ?? time.GetUtcNow(),
                    Lease = new FineTuneLease((job.Lease?.Token ?? 0) + 1, options.WorkerName, time.GetUtcNow() + options.LeaseTime),
                };
            },
            cancellation);
        return taken ? row : null;
    }

    /// <summary>Stores the last events, writes the last progress, then signals; says nothing once the lease is lost.</summary>
    private async Task TellAsync(JobLease lease, JobEventReporter reporter, TrainModelWorkItem item, FineTuneSignal signal)
    {
        if (lease.Reason == StopReason.LeaseLost || !await lease.FlushAsync(CancellationToken.None))
        {
            reporter.Abandon();
            logger.AttemptEnded(item.Attempt, item.JobId, "the lease was lost");
            return;
        }

        await reporter.FlushAsync(CancellationToken.None);
        await signals.SendAsync(signal, cancellation: CancellationToken.None);
        logger.AttemptEnded(item.Attempt, item.JobId, signal.Kind.ToString());
    }

    private static FineTuneSignal Signal(TrainModelWorkItem item, JobLease lease, FineTuneSignalKind kind) => new()
    {
        AccountId = item.AccountId,
        JobId = item.JobId,
        Kind = kind,
        Attempt = item.Attempt,
        LeaseToken = lease.Token,
    };

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
