using System.Diagnostics;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Observability;
using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Hands a job to the workers: queued in its row, then a work item. Thread-safe.</summary>
/// <remarks>
/// Run again after a crash between row and message it sends the message; a second message for one attempt does no harm, since a worker claims
/// the row and only one claim of an attempt succeeds.
/// </remarks>
public sealed class QueueTraining(ChangeFineTune change, IWorkQueue<TrainModelWorkItem> queue)
{
    /// <summary>Queues a job that is checked, and sends the work item of the attempt it is queued for.</summary>
    /// <param name="job">The job.</param>
    /// <param name="sentAttempt">The attempt for which a work item was sent before, 0 before the first.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The attempt for which a work item was sent last.</returns>
    public async Task<int> ExecuteAsync(FineTuneRef job, int sentAttempt, CancellationToken cancellation = default)
    {
        await change.ExecuteAsync(job, row => row is { Status: FineTuneStatus.Validating, Prepared: not null } ? FineTuneRules.Queue(row) : null, cancellation);

        // A wish that came while the data was checked (a pause has to wait for the queue) is granted before a worker hears of the job.
        var row = await change.ExecuteAsync(job, FineTuneRules.Grant, cancellation);
        if (row is not { Value: { Status: FineTuneStatus.Queued } queued } || queued.Attempt <= sentAttempt)
        {
            return sentAttempt;
        }

        using var span = JobTrace.Start("queue", queued, ActivityKind.Producer);
        await queue.SendAsync(new TrainModelWorkItem(job.AccountId, job.JobId, queued.Attempt, span?.Id ?? queued.TraceParent), PauseBefore(queued), cancellation);
        return queued.Attempt;
    }

    /// <summary>What made the last attempt fail (a full disk, storage that does not answer) needs a while to pass; a few seconds later all attempts would be used up.</summary>
    private static TimeSpan PauseBefore(FineTune job) => job.Failures == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(5 * Math.Pow(6, job.Failures - 1));
}
