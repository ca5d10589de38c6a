using LangTrain.Contracts.Errors;
using LangTrain.Contracts.Models;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models;

/// <summary>Deletes a model of an account with its files.</summary>
public sealed class DeleteModel(IModelStore store, ModelCatalog catalog, IBlobStore blobs)
{
    /// <summary>Deletes it.</summary>
    /// <exception cref="ApiException">404; 403 for a base model; 409 while other models are built on it, which are named.</exception>
    public async Task ExecuteAsync(Caller caller, string modelId, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        if (await store.FindAsync(caller.AccountId, modelId, cancellation) is not { } model)
        {
            throw await catalog.FindAsync(caller.AccountId, modelId, cancellation) is null
                ? ApiErrors.NotFound("model", modelId)
                : new ApiException(403, ErrorTypes.Permission, [new ApiProblem("A base model belongs to everybody and cannot be deleted.", "base_model")]);
        }

        var dependants = new List<string>();
        await foreach (var other in store.ListAsync(caller.AccountId, cancellation))
        {
            if (other.BaseModelId == modelId)
            {
                dependants.Add(other.Id);
            }
        }

        if (dependants.Count > 0)
        {
            throw ApiErrors.Conflict("model_in_use", $"Other models are built on it: {string.Join(", ", dependants.Take(10))}. Delete them first.");
        }

        // The row first: a model without files would still be listed, files without a model are only space.
        await store.DeleteAsync(caller.AccountId, modelId, cancellation);
        catalog.Forget(caller.AccountId, modelId);
        await DeleteFilesAsync(model.Weights, cancellation);
        await DeleteFilesAsync(model.Adapter, cancellation);
    }

    private async Task DeleteFilesAsync(ModelSource? source, CancellationToken cancellation)
    {
        if (source is { Kind: ModelSource.Blob, Container: { } container })
        {
            await foreach (var blob in blobs.ListAsync(container, source.Folder + "/", cancellation))
            {
                await blobs.DeleteAsync(container, blob.Name, cancellation);
            }
        }
    }
}
