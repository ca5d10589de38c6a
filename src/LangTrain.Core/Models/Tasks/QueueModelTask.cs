using System.Diagnostics;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Models;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models.Tasks;

/// <summary>Hands a model task to the workers. A second message for one attempt does no harm: a worker claims the row. Thread-safe.</summary>
public sealed class QueueModelTask(IModelTaskStore store, IWorkQueue<TrainModelWorkItem> queue)
{
    /// <summary>Sends the work item of the attempt that the row waits for.</summary>
    /// <returns>The attempt for which a work item was sent last.</returns>
    public async Task<int> ExecuteAsync(ModelTaskRef task, int sentAttempt, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (await store.FindAsync(task, cancellation) is not { Value: { Status: ModelTaskStatus.Queued } queued } || queued.Attempt <= sentAttempt)
        {
            return sentAttempt;
        }

        await queue.SendAsync(
            new TrainModelWorkItem(task.AccountId, task.TaskId, queued.Attempt, Activity.Current?.Id) { Kind = TrainModelWorkItem.ModelTask }, default, cancellation);
        return queued.Attempt;
    }
}
