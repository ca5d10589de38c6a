using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Storage;
using LangTrain.Worker.Models;

namespace LangTrain.Worker.FineTunes;

/// <summary>Takes work items from the queue, as many at once as this worker trains, until the process ends.</summary>
/// <remarks>On shutdown (SIGTERM) running attempts write a checkpoint and give their jobs back before the process ends.</remarks>
internal sealed class TrainingJobsService(
    IWorkQueue<TrainModelWorkItem> queue,
    RunTrainingAttempt runAttempt,
    RunModelTask runTask,
    WorkerOptions options,
    TimeProvider time,
    IHostApplicationLifetime lifetime,
    ILogger<TrainingJobsService> logger) : BackgroundService
{
    // Long enough to claim; the lease on the row guards the job from then on. The message goes after the claim, or is held (OneJob).
    private static readonly TimeSpan ClaimTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(200), LongestPause = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var kind in (string[])["jobs", "tasks", "estimates"])
        {
            ScratchFolder.RemoveLeftOver(Path.Combine(options.ScratchDirectory, kind));
        }

        logger.TakingJobs(options.WorkerName, options.Names.TrainingJobsQueue, options.Concurrency);
        using var slots = new SemaphoreSlim(options.Concurrency);
        var running = new List<Task>();
        var pause = ShortestPause;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await slots.WaitAsync(stoppingToken);
                running.RemoveAll(task => task.IsCompleted);
                var message = await ReceiveAsync(stoppingToken);
                if (message is null)
                {
                    slots.Release();
                    if (options.OneJob && running.Count == 0)
                    {
                        break;
                    }

                    await Task.Delay(pause, time, stoppingToken);
                    pause = pause * 1.5 < LongestPause ? pause * 1.5 : LongestPause;
                    continue;
                }

                pause = ShortestPause;
                running.Add(RunAsync(message, slots, stoppingToken));
                if (options.OneJob)
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Shutdown: what runs is given back below.
        }

        await Task.WhenAll(running);
        if (options.OneJob)
        {
            lifetime.StopApplication();
        }
    }

    private async Task<ReceivedMessage<TrainModelWorkItem>?> ReceiveAsync(CancellationToken cancellation)
    {
        try
        {
            return await queue.ReceiveAsync(ClaimTime, cancellation);
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            logger.QueueFailed(failure, LongestPause);
            await Task.Delay(LongestPause, time, cancellation);
            return null;
        }
    }

    private async Task RunAsync(ReceivedMessage<TrainModelWorkItem> message, SemaphoreSlim slots, CancellationToken stopping)
    {
        await using var held = options.OneJob ? new HeldMessage<TrainModelWorkItem>(queue, message, ClaimTime, time, logger) : null;
        Task EndMessageAsync() => held is null ? queue.DeleteAsync(message, CancellationToken.None) : Task.CompletedTask;
        try
        {
            // A thread of its own: training computes for long and must not hold one of the pool's.
            await Task.Factory.StartNew(
                () => message.Value.Kind == TrainModelWorkItem.ModelTask
                    ? runTask.ExecuteAsync(message.Value, EndMessageAsync, stopping)
                    : runAttempt.ExecuteAsync(message.Value, EndMessageAsync, stopping),
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
        }
        catch (Exception failure)
        {
            // The attempt reports its own errors; what comes here could not be reported. The lease runs out and the service acts on that.
            logger.AttemptFailed(failure, message.Value.Attempt, message.Value.JobId);
        }
        finally
        {
            slots.Release();
        }
    }
}
