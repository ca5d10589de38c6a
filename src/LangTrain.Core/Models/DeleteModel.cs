using LangTrain.Contracts;
using LangTrain.Contracts.Models;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models;

/// <summary>Deletes a model of an account: its row at once, its files, and the checkpoints of the job that made it, by tasks that outlive this process. The caller starts their orchestrations. Thread-safe.</summary>
public sealed class DeleteModel(IModelStore store, ModelCatalog catalog, IModelTaskStore tasks, IFineTuneStore jobs, StorageNames names, TimeProvider time)
{
    private const int MostNamed = 10;

    /// <summary>Deletes it.</summary>
    /// <returns>The tasks that remove the files.</returns>
    /// <exception cref="ApiException">404; 403 for a base model; 409 while other models, jobs or exports use it, which are named.</exception>
    public async Task<IReadOnlyList<ModelTaskRef>> ExecuteAsync(Caller caller, string modelId, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        if (await store.FindAsync(caller.AccountId, modelId, cancellation) is not { } model)
        {
            throw await catalog.FindAsync(caller.AccountId, modelId, cancellation) is not { } other
                ? ApiErrors.NotFound("model", modelId)
                : other.AccountId is null
                    ? ApiErrors.Forbidden("base_model", "A base model belongs to everybody and cannot be deleted.")
                    : ApiErrors.Conflict("checkpoint", $"It is a checkpoint of the job '{other.JobId}', which keeps its newest ones.");
        }

        var own = new List<ModelTask>();
        await foreach (var task in tasks.ListAsync(caller.AccountId, cancellation))
        {
            if (IsOf(task.ModelId, modelId) && task.Kind != ModelTaskKind.Delete)
            {
                own.Add(task);
            }
        }

        await RequireUnusedAsync(caller.AccountId, model, own, cancellation);

        // First the tasks that remove what there is, then the row: a death in between leaves a model whose files go, until its owner, who got no
        // answer, deletes it again; never files that nothing remembers.
        var removals = new List<ModelTaskRef>();
        BlobPlace[] places =
        [
            .. Places(model.Weights), .. Places(model.Adapter),
            // With what a worker that was thought lost may have stored of the job's result.
            .. model.JobId is { } job
                ? [new BlobPlace(names.CheckpointsContainer, $"{caller.AccountId}/{job}/"), new BlobPlace(names.ModelsContainer, $"{caller.AccountId}/{job}/")]
                : Array.Empty<BlobPlace>(),
        ];
        if (places.Length > 0)
        {
            var removal = new ModelTask
            {
                Id = Ids.New("mtask", time), AccountId = caller.AccountId, Kind = ModelTaskKind.Delete, ModelId = modelId, Places = places, CreatedAt = time.GetUtcNow(),
            };
            await tasks.CreateAsync(removal, cancellation);
            removals.Add(removal.Ref());
        }

        foreach (var task in own)
        {
            await CancelAsync(task.Ref(), cancellation);
            removals.Add(task.Ref());
        }

        await store.DeleteAsync(caller.AccountId, modelId, cancellation);
        catalog.Forget(caller.AccountId, modelId);
        return removals;
    }

    private async Task CancelAsync(ModelTaskRef reference, CancellationToken cancellation)
    {
        while (await tasks.FindAsync(reference, cancellation) is { } row)
        {
            try
            {
                await tasks.UpdateAsync(row, row.Value with { Status = ModelTaskStatus.Cancelled, IsSettled = false }, cancellation);
                return;
            }
            catch (StaleWriteException)
            {
                // Decided again on the row as it is now.
            }
        }
    }

    private async Task RequireUnusedAsync(string accountId, StoredModel model, List<ModelTask> own, CancellationToken cancellation)
    {
        var users = new List<string>();
        await foreach (var other in store.ListAsync(accountId, cancellation))
        {
            // Full weights that were trained from it stand alone.
            if (other.BaseModelId == model.Id && other.Weights is null)
            {
                users.Add($"model {other.Id}");
            }
        }

        foreach (var status in Enum.GetValues<FineTuneStatus>().Where(status => !FineTuneStateMachine.IsTerminal(status)))
        {
            await foreach (var job in jobs.ListAllAsync(accountId, status, cancellation))
            {
                if (job.BaseModelId == model.Id || IsOf(job.ModelId, model.Id))
                {
                    users.Add($"job {job.Id}");
                }

                if (users.Count >= MostNamed)
                {
                    break;
                }
            }
        }

        users.AddRange(own.Where(task => task is { Kind: ModelTaskKind.Export, Status: ModelTaskStatus.Queued or ModelTaskStatus.Running }).Select(task => $"export {task.Id}"));
        if (users.Count > 0)
        {
            throw ApiErrors.Conflict("model_in_use", $"It is in use: {string.Join(", ", users.Take(MostNamed))}. Delete these, or let them end, first.");
        }
    }

    // The model itself, or a checkpoint of the job that made it.
    private static bool IsOf(string id, string modelId) => id == modelId || (CheckpointModels.IsOne(id) && id.StartsWith(modelId + ":", StringComparison.Ordinal));

    private static IEnumerable<BlobPlace> Places(ModelSource? source) =>
        source is { Kind: ModelSource.Blob, Container: { } container } ? [new BlobPlace(container, source.Folder + "/")] : [];
}
