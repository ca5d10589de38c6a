using LangTrain.Contracts.Models;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models;

/// <summary>A file of a model that is to be given out.</summary>
/// <param name="Name">Path below the model's folder.</param>
/// <param name="Bytes">Size.</param>
/// <param name="OpenAsync">Opens its content; to be disposed.</param>
public sealed record ModelArchiveFile(string Name, long Bytes, Func<CancellationToken, Task<Stream>> OpenAsync);

/// <summary>The stored files of an account's models, for clients that want them in one piece. Thread-safe.</summary>
public sealed class ModelArchives(ModelCatalog catalog, BlobFolder folders, IBlobStore blobs)
{
    /// <summary>The files of a model of the account; none is opened yet.</summary>
    /// <exception cref="ApiException">404; 403 for a base model; 409 for one that is not ready.</exception>
    public async Task<IReadOnlyList<ModelArchiveFile>> OpenAsync(Caller caller, string modelId, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var (model, target) = await catalog.ResolveAsync(caller.AccountId, modelId, null, cancellation);
        ExportModel.RequireOwn(model);
        if ((target.Adapter ?? target.Base) is not { Kind: ModelSource.Blob, Container: { } container } source
            || await folders.FindAsync(container, source.Folder, cancellation) is not { } manifest)
        {
            throw ApiErrors.Conflict("model_not_ready", "The model's files are not in storage.");
        }

        return
        [
            .. ExportModel.FilesToGive(manifest).Select(file => new ModelArchiveFile(file.Name, file.Bytes, async stop =>
                await blobs.OpenReadAsync(container, $"{source.Folder}/{file.Name}", 0, stop) ?? throw ApiErrors.NotFound("model", modelId))),
        ];
    }
}
