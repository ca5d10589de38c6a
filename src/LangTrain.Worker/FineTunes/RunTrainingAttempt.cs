using System.Diagnostics;
using System.Globalization;
using LangTrain.AzureAdapters;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models;
using LangTrain.Core.Observability;
using LangTrain.Core.Storage;
using TrainingOutcome = LangTrain.Contracts.FineTunes.TrainingOutcome;

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
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>Runs the attempt to its end; returns without a word when the job no longer waits for it.</summary>
    /// <param name="item">Which attempt.</param>
    /// <param name="deleteMessage">Ends the message; called once the claim stands or the message is stale.</param>
    /// <param name="stopping">Set when this process must go: the job is checkpointed and given back.</param>
    public async Task ExecuteAsync(TrainModelWorkItem item, Func<Task> deleteMessage, CancellationToken stopping)
    {
        using var scope = logger.OfJob(item.JobId);

        // 1. Claim: from here on the row carries this worker's token, and is kept by heartbeats.
        var claimedAt = time.GetTimestamp();
        if (await ClaimAsync(item, CancellationToken.None) is not { } claimed)
        {
            await ClaimedMessage.EndAsync(deleteMessage, item, logger);
            logger.StaleMessage(item.Attempt, item.JobId);
            return;
        }

        using var span = JobTrace.Start("train", claimed.Value, ActivityKind.Consumer, item.TraceParent);
        logger.AttemptBegins(item.Attempt, item.JobId);
        await using var lease = new JobLease(store, claimed, options.LeaseTime, time, logger, claimedAt);
        await using var reporter = new JobEventReporter(log, relay, item.Ref(), item.Attempt, time, logger, lease.ConfirmAsync);
        await using var release = stopping.Register(lease.RequestRelease);
        // The claim's own events, whose storing must not hold up the heartbeats.
        reporter.Repeat(claimed.Value.PendingEvents);
        await ClaimedMessage.EndAsync(deleteMessage, item, logger);
        try
        {
            var outcome = await WorkAsync(lease, reporter, item);

            // 4. Tell. A finished result counts even when a pause came after it was stored; a cancel the service keeps.
            await TellAsync(lease, reporter, item, outcome is not null
                ? Signal(item, lease, FineTuneSignalKind.Succeeded) with { Outcome = outcome }
                : Signal(item, lease, lease.Reason switch
                {
                    StopReason.Cancelled => FineTuneSignalKind.Cancelled,
                    StopReason.Paused => FineTuneSignalKind.Paused,
                    _ => FineTuneSignalKind.Released,
                }));
        }
        catch (OperationCanceledException) when (lease.GivenUp.IsCancellationRequested)
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
    }

    /// <summary>Trains and stores, unless an attempt that died after storing its result has done it.</summary>
    /// <returns>What was made; null when it stopped before.</returns>
    private async Task<TrainingOutcome?> WorkAsync(JobLease lease, JobEventReporter reporter, TrainModelWorkItem item)
    {
        if (await artifacts.FindFinishedAsync(item.Ref(), CancellationToken.None) is { } before)
        {
            return before;
        }

        // 2. Train.
        using var scratch = new ScratchFolder(Path.Combine(options.ScratchDirectory, "jobs"), string.Create(CultureInfo.InvariantCulture, $"{item.JobId}-{lease.Token}"));
        await using var checkpoints = new CheckpointUploader(folders, options.Names.CheckpointsContainer, item.Ref(), reporter, lease, checkpointModels, logger);
        var result = await train.ExecuteAsync(lease, reporter, checkpoints, scratch.FullName);
        await checkpoints.CompleteAsync(lease.GivenUp);
        if (result.Outcome != Training.TrainingOutcome.Completed)
        {
            return null;
        }

        // 3. Store the result; its manifest comes last.
        reporter.Log("info", "Storing the trained model.");
        if (!await lease.ConfirmAsync(lease.GivenUp))
        {
            return null;
        }

        try
        {
            return await artifacts.StoreAsync(lease.Job, lease.Token, result, lease.GivenUp);
        }
        catch (OperationCanceledException) when (lease.Reason == StopReason.Cancelled)
        {
            await ForgetAsync(lease);
            throw;
        }
    }

    /// <summary>Removes what is stored of a cancelled job's result. Only while the lease holds: nobody else can have counted it as finished then.</summary>
    private async Task ForgetAsync(JobLease lease)
    {
        try
        {
            await artifacts.DeleteAsync(lease.Job.Ref(), lease.Token, lease.Lost);
        }
        catch (Exception failure)
        {
            logger.ResultStays(failure, lease.Job.Id);
        }
    }

    /// <summary>Takes the job if it still waits for this attempt; null otherwise.</summary>
    private async Task<Versioned<FineTune>?> ClaimAsync(TrainModelWorkItem item, CancellationToken cancellation)
    {
        // The row comes back whether it was changed or not, and after a lost race the change is decided again: the last decision counts.
        FineTuneLease? taken = null;
        try
        {
            var row = await change.WriteAsync(
                item.Ref(),
                job =>
                {
                    taken = job.Status == FineTuneStatus.Queued && job.Attempt == item.Attempt && job.Requested == FineTuneControl.None
                        ? new FineTuneLease((job.Lease?.Token ?? 0) + 1, options.WorkerName, time.GetUtcNow() + options.LeaseTime)
                        : null;
                    return taken is null ? null : new FineTuneChange(job with { Status = FineTuneStatus.Running, StartedAt = job.StartedAt ?? time.GetUtcNow(), Lease = taken });
                },
                cancellation);
            return taken is null ? null : row;
        }
        catch (Exception failure) when (taken is not null)
        {
            // Written perhaps, and the answer was lost: then the job is this worker's, which nobody else would work at until the lease runs out.
            logger.ClaimUnsure(failure, item.Attempt, item.JobId);
            if (await store.FindAsync(item.Ref(), cancellation) is { } row && row.Value.Status == FineTuneStatus.Running && row.Value.Lease == taken)
            {
                return row;
            }

            throw;
        }
    }

    /// <summary>Stores the last events, writes the last progress, then signals; says nothing once the lease is lost.</summary>
    private async Task TellAsync(JobLease lease, JobEventReporter reporter, TrainModelWorkItem item, FineTuneSignal signal)
    {
        try
        {
            if (await lease.FlushAsync(CancellationToken.None))
            {
                await reporter.FlushAsync(lease.Lost);
                await SendAsync(signal, lease);
                logger.AttemptEnded(item.Attempt, item.JobId, signal.Kind.ToString());
                return;
            }
        }
        catch (OperationCanceledException) when (lease.Lost.IsCancellationRequested)
        {
            // Said below.
        }

        reporter.Abandon();
        logger.AttemptEnded(item.Attempt, item.JobId, "the lease was lost");
    }

    /// <summary>Signals, again and again while storage does not answer: what was done must not be done again for one message.</summary>
    private async Task SendAsync(FineTuneSignal signal, JobLease lease)
    {
        for (var delay = TimeSpan.FromSeconds(1); ; delay = delay * 2 < LongestPause ? delay * 2 : LongestPause)
        {
            try
            {
                await signals.SendAsync(signal, cancellation: lease.Lost);
                return;
            }
            catch (Exception failure) when (StorageOutage.Is(failure) && !lease.Lost.IsCancellationRequested)
            {
                logger.SignalFailed(failure, signal.JobId, delay);
                await Task.Delay(delay, time, lease.Lost);
            }
        }
    }

    private static FineTuneSignal Signal(TrainModelWorkItem item, JobLease lease, FineTuneSignalKind kind) => new()
    {
        AccountId = item.AccountId,
        JobId = item.JobId,
        Kind = kind,
        Attempt = item.Attempt,
        LeaseToken = lease.Token,
    };
}
