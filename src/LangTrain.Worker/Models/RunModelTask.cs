using System.Globalization;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Models;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Storage;
using LangTrain.Worker.FineTunes;

namespace LangTrain.Worker.Models;

/// <summary>One attempt of a model task: claim, do, store, tell.</summary>
/// <remarks>
/// Safe to die at any line. Before the claim the message comes again; after it the lease runs out and the service queues the next attempt. Each
/// claim writes into a folder of its own, named by its token, and only what the row names counts.
/// </remarks>
internal sealed class RunModelTask(
    IModelTaskStore store,
    SettleModelTask settle,
    IWorkQueue<FineTuneSignal> signals,
    CheckUploadedModel check,
    ExportModelFiles export,
    BlobFolder folders,
    WorkerOptions options,
    TimeProvider time,
    ILogger<RunModelTask> logger)
{
    /// <summary>Runs the attempt to its end; returns without a word when the task no longer waits for it.</summary>
    /// <param name="item">Which attempt.</param>
    /// <param name="deleteMessage">Ends the message; called once the claim stands or the message is stale.</param>
    /// <param name="stopping">Set when this process must go: the task is given back.</param>
    public async Task ExecuteAsync(TrainModelWorkItem item, Func<Task> deleteMessage, CancellationToken stopping)
    {
        using var scope = logger.OfJob(item.JobId);
        var claimed = await ChangeAsync(
            new ModelTaskRef(item.AccountId, item.JobId),
            task => task.Status == ModelTaskStatus.Queued && task.Attempt == item.Attempt,
            task => task with
            {
                Status = ModelTaskStatus.Running,
                Lease = new FineTuneLease((task.Lease?.Token ?? 0) + 1, options.WorkerName, time.GetUtcNow() + options.LeaseTime),
            });
        if (claimed is null)
        {
            await ClaimedMessage.EndAsync(deleteMessage, item, logger);
            logger.StaleMessage(item.Attempt, item.JobId);
            return;
        }

        logger.AttemptBegins(item.Attempt, item.JobId);
        var token = claimed.Lease!.Token;
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var ended = new CancellationTokenSource();
        var beating = BeatAsync(claimed.Ref(), token, lost, ended.Token);
        await ClaimedMessage.EndAsync(deleteMessage, item, logger);
        var end = await DoAsync(claimed, token, lost.Token);
        await ended.CancelAsync();
        await beating;
        if (end is not null)
        {
            await ChangeAsync(claimed.Ref(), task => IsHeld(task, token), end);
        }

        logger.AttemptEnded(item.Attempt, item.JobId, stopping.IsCancellationRequested ? "given back" : "done");
        await signals.SendAsync(
            new FineTuneSignal { AccountId = item.AccountId, JobId = item.JobId, Kind = FineTuneSignalKind.ControlRequested }, cancellation: CancellationToken.None);
    }

    /// <summary>Does the work.</summary>
    /// <returns>What becomes of the row; null when it is no longer this worker's.</returns>
    private async Task<Func<ModelTask, ModelTask>?> DoAsync(ModelTask claimed, long token, CancellationToken cancellation)
    {
        try
        {
            using var held = new ScratchFolder(Path.Combine(options.ScratchDirectory, "tasks"), string.Create(CultureInfo.InvariantCulture, $"{claimed.Id}-{token}"));
            var scratch = held.FullName;
            var (result, folder) = claimed.Kind == ModelTaskKind.Export
                ? await export.ExecuteAsync(claimed, scratch, cancellation)
                : await check.ExecuteAsync(claimed, scratch, cancellation);
            var prefix = string.Create(CultureInfo.InvariantCulture, $"{claimed.OutputPrefix}{token}");
            var revision = await folders.UploadAsync(options.Names.ModelsContainer, prefix, folder, cancellation: cancellation);
            return task => task with
            {
                Status = ModelTaskStatus.Succeeded, Result = result with { Prefix = prefix, Revision = revision }, FinishedAt = time.GetUtcNow(),
            };
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Given back, which is no failure; where the lease was lost the row is not this worker's and stays as it is.
            return task => task with { Status = ModelTaskStatus.Queued, Attempt = task.Attempt + 1 };
        }
        catch (ModelRefusedException refused)
        {
            return task => task with { Status = ModelTaskStatus.Failed, Error = new JobError(refused.Code, refused.Message), FinishedAt = time.GetUtcNow() };
        }
        catch (Exception failure)
        {
            logger.AttemptFailed(failure, claimed.Attempt, claimed.Id);
            return task => settle.TryAgain(task, new JobError("internal_error", "It failed for a reason that is not known to be in your files. Try again later."));
        }
    }

    /// <summary>Keeps the lease while the work goes on, and ends the work when the row is no longer this worker's.</summary>
    private async Task BeatAsync(ModelTaskRef task, long token, CancellationTokenSource lost, CancellationToken ended)
    {
        var goodUntil = time.GetUtcNow() + options.LeaseTime;
        using var timer = new PeriodicTimer(options.LeaseTime / 4, time);
        try
        {
            while (await timer.WaitForNextTickAsync(ended))
            {
                try
                {
                    if (await ChangeAsync(
                        task, row => IsHeld(row, token), row => row with { Lease = row.Lease! with { ExpiresAt = time.GetUtcNow() + options.LeaseTime } }) is null)
                    {
                        await lost.CancelAsync();
                        return;
                    }

                    goodUntil = time.GetUtcNow() + options.LeaseTime;
                }
                catch (Exception failure) when (failure is not OperationCanceledException)
                {
                    logger.HeartbeatFailed(failure, task.TaskId);
                    if (time.GetUtcNow() > goodUntil)
                    {
                        await lost.CancelAsync();
                        return;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The work is over.
        }
    }

    /// <summary>Changes the row while it is as wanted; null when it is not.</summary>
    private async Task<ModelTask?> ChangeAsync(ModelTaskRef reference, Func<ModelTask, bool> wanted, Func<ModelTask, ModelTask> change)
    {
        while (await store.FindAsync(reference, CancellationToken.None) is { } row && wanted(row.Value))
        {
            try
            {
                return (await store.UpdateAsync(row, change(row.Value), CancellationToken.None)).Value;
            }
            catch (StaleWriteException)
            {
                // Decided again on the row as it is now.
            }
        }

        return null;
    }

    private static bool IsHeld(ModelTask task, long token) => task.Status == ModelTaskStatus.Running && task.Lease?.Token == token;
}
