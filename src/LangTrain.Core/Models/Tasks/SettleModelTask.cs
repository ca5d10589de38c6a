using System.Text.Json.Serialization;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Models;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models.Tasks;

/// <summary>What a model task's orchestration does next.</summary>
public enum ModelTaskStep
{
    /// <summary>Waits for a signal, or <see cref="SettledModelTask.WaitSeconds"/>.</summary>
    [JsonStringEnumMemberName("wait")] Wait,

    /// <summary>Hands the task to the workers.</summary>
    [JsonStringEnumMemberName("queue")] Queue,

    /// <summary>Nothing: it has ended.</summary>
    [JsonStringEnumMemberName("done")] Done,
}

/// <summary>Answer of <see cref="SettleModelTask"/>. Kept in the orchestration's history.</summary>
/// <param name="Step">What to do next.</param>
/// <param name="WaitSeconds">How long to wait at most.</param>
public sealed record SettledModelTask(ModelTaskStep Step, double WaitSeconds = 0);

/// <summary>Looks at a model task and moves it on: a lost worker, an end whose consequences are due. Thread-safe.</summary>
/// <remarks>The row is the truth; run again after a crash anywhere inside, it ends where it would have.</remarks>
public sealed class SettleModelTask(
    IModelTaskStore store, IModelStore models, IBlobStore blobs, StorageNames names, FineTuneOptions options, TimeProvider time)
{
    /// <summary>Moves the task on.</summary>
    /// <param name="task">The task.</param>
    /// <param name="sentAttempt">The attempt for which a work item was sent last, 0 before the first.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<SettledModelTask> ExecuteAsync(ModelTaskRef task, int sentAttempt, CancellationToken cancellation = default)
    {
        while (await store.FindAsync(task, cancellation) is { Value: { IsSettled: false } current } row)
        {
            try
            {
                if (current.Kind == ModelTaskKind.Delete || current.Status is ModelTaskStatus.Succeeded or ModelTaskStatus.Failed or ModelTaskStatus.Cancelled)
                {
                    await EndAsync(row, cancellation);
                }
                else if (current.Status == ModelTaskStatus.Queued)
                {
                    return current.Attempt > sentAttempt ? new SettledModelTask(ModelTaskStep.Queue) : Wait(current);
                }
                else if (current.Lease?.ExpiresAt > time.GetUtcNow())
                {
                    return Wait(current);
                }
                else
                {
                    await store.UpdateAsync(row, Lost(current), cancellation);
                }
            }
            catch (StaleWriteException)
            {
                // Decided again on the row as it is now.
            }
        }

        return new SettledModelTask(ModelTaskStep.Done);
    }

    /// <summary>What an attempt that ended by no fault of the owner's leaves: another attempt, or the end after too many.</summary>
    public ModelTask TryAgain(ModelTask task, JobError error)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.Failures + 1 < options.MaxFailures
            ? task with { Status = ModelTaskStatus.Queued, Attempt = task.Attempt + 1, Failures = task.Failures + 1 }
            : task with { Status = ModelTaskStatus.Failed, Failures = task.Failures + 1, Error = error, FinishedAt = time.GetUtcNow() };
    }

    private ModelTask Lost(ModelTask task) => TryAgain(task, new JobError("worker_lost", "The worker was lost again and again. Nothing is known to be wrong with your files; try again later."));

    private SettledModelTask Wait(ModelTask task)
    {
        var wait = options.WatchInterval;
        if (task.Status == ModelTaskStatus.Running && task.Lease is { } lease && lease.ExpiresAt - time.GetUtcNow() is var left && left > wait)
        {
            wait = left;
        }

        return new SettledModelTask(ModelTaskStep.Wait, wait.TotalSeconds);
    }

    private async Task EndAsync(Versioned<ModelTask> row, CancellationToken cancellation)
    {
        var task = row.Value;
        switch (task.Kind)
        {
            case ModelTaskKind.Delete:
                foreach (var place in task.Places)
                {
                    await DeleteAsync(place.Container, place.Prefix, null, cancellation);
                }

                await store.DeleteAsync(row, cancellation);
                return;

            case ModelTaskKind.Check:
                await EndCheckAsync(task, cancellation);
                // One that was cancelled in between comes round once more, and its model goes.
                await store.DeleteAsync(row, cancellation);
                return;

            default:
                await DeleteAsync(names.ModelsContainer, task.OutputPrefix, task.Status == ModelTaskStatus.Succeeded ? task.Result?.Prefix : null, cancellation);
                await (task.Status == ModelTaskStatus.Cancelled
                    ? store.DeleteAsync(row, cancellation)
                    : store.UpdateAsync(row, task with { IsSettled = true }, cancellation));
                return;
        }
    }

    private async Task EndCheckAsync(ModelTask task, CancellationToken cancellation)
    {
        var draft = task.Draft ?? throw new InvalidOperationException("A check has the draft of its model.");
        if (task.Status == ModelTaskStatus.Cancelled)
        {
            await models.DeleteAsync(task.AccountId, task.ModelId, cancellation);
        }
        else
        {
            await models.UpsertAsync(task.Result is { } made ? Ready(draft, made) : draft with
            {
                Status = ModelStatuses.Invalid,
                StatusReason = task.Error?.Message ?? "It could not be checked.",
            }, cancellation);
        }

        await DeleteAsync(names.ModelsContainer, task.OutputPrefix, task.Status == ModelTaskStatus.Succeeded ? task.Result?.Prefix : null, cancellation);
        foreach (var upload in task.Uploads.Where(upload => upload.IsOwned))
        {
            await blobs.DeleteAsync(upload.Container, upload.BlobName, cancellation);
        }
    }

    private StoredModel Ready(StoredModel draft, ModelTaskResult made)
    {
        var source = new ModelSource { Kind = ModelSource.Blob, Container = names.ModelsContainer, Folder = made.Prefix, Revision = made.Revision };
        return made.IsAdapter
            ? draft with { Status = ModelStatuses.Ready, StatusReason = null, Adapter = source }
            : draft with
            {
                Status = ModelStatuses.Ready,
                StatusReason = null,
                Weights = source,
                // Full weights stand alone, whatever base was named.
                BaseModelId = null,
                ParameterCount = made.ParameterCount,
                ContextLength = made.ContextLength,
                SupportedTasks = made.HasChatTemplate ? ["completion", "chat", "fine-tuning"] : ["completion", "fine-tuning"],
            };
    }

    private async Task DeleteAsync(string container, string prefix, string? except, CancellationToken cancellation)
    {
        await foreach (var blob in blobs.ListAsync(container, prefix, cancellation))
        {
            if (except is null || !blob.Name.StartsWith(except + "/", StringComparison.Ordinal))
            {
                await blobs.DeleteAsync(container, blob.Name, cancellation);
            }
        }
    }
}
