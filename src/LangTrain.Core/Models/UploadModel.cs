using LangTrain.Contracts;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Core.Http;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models;

/// <summary>What is to become a model.</summary>
/// <param name="Name">Name for people.</param>
/// <param name="Description">Sentence for people, or null.</param>
/// <param name="BaseModelId">The model under an adapter, or null.</param>
/// <param name="Files">Its files.</param>
public sealed record ModelUpload(string Name, string? Description, string? BaseModelId, IReadOnlyList<UploadedModelFile> Files);

/// <summary>Takes an upload as a model in the state <c>validating</c>; a worker checks it in full before it is <c>ready</c>. The caller starts the task's orchestration. Thread-safe.</summary>
public sealed class UploadModel(
    IModelStore models, ModelCatalog catalog, IModelTaskStore tasks, IFileStore files, IUploadStore uploads, IBlobStore blobs, StorageNames names, TimeProvider time)
{
    /// <summary>Largest file of a model that comes with one request.</summary>
    public const long MaxBytes = 4L << 30;

    /// <summary>Stores a file that comes with the request.</summary>
    /// <returns>The file and its SHA-256, lower-case hex.</returns>
    /// <exception cref="ApiException">413; 415.</exception>
    public async Task<(UploadedModelFile File, string Sha256)> StoreAsync(string accountId, string filename, Stream content, CancellationToken cancellation = default)
    {
        var blob = $"model-uploads/{accountId}/{Ids.New("upload", time)}";
        using var measured = new MeasuredStream(content, MaxBytes, "The model");
        await blobs.WriteAsync(names.DatasetsContainer, blob, measured, overwrite: false, cancellation);
        return (new UploadedModelFile(names.DatasetsContainer, blob, filename, IsOwned: true), measured.Sha256());
    }

    /// <summary>Deletes stored files that come to nothing.</summary>
    public async Task DiscardAsync(IEnumerable<UploadedModelFile> stored, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(stored);
        foreach (var file in stored.Where(file => file.IsOwned))
        {
            await blobs.DeleteAsync(file.Container, file.BlobName, cancellation);
        }
    }

    /// <summary>Finds files of the account by the ids of files or of completed uploads. They stay the owner's.</summary>
    /// <exception cref="ApiException">404; 409 for an upload that is not completed, or whose parts are still being put together.</exception>
    public async Task<IReadOnlyList<UploadedModelFile>> FindFilesAsync(string accountId, IReadOnlyList<string> ids, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var found = new List<UploadedModelFile>();
        for (var i = 0; i < ids.Count; i++)
        {
            var id = ids[i];
            if (await uploads.FindAsync(accountId, id, cancellation) is { } upload)
            {
                id = upload.Value.Status == UploadStatus.Completed
                    ? upload.Value.FileId
                    : throw ApiErrors.Conflict("upload_not_completed", $"The upload '{ApiErrors.Shorten(id)}' is not completed.", param: $"files[{i}]");
            }

            var file = await files.FindAsync(accountId, id, cancellation) ?? throw ApiErrors.NotFound("file", ids[i], $"files[{i}]");
            found.Add(new UploadedModelFile(names.DatasetsContainer, file.RequireReady($"files[{i}]").BlobName, file.Filename, IsOwned: false, file.Id));
        }

        return found;
    }

    /// <summary>Writes the task and the model's row.</summary>
    /// <param name="accountId">Owner.</param>
    /// <param name="upload">What it is.</param>
    /// <param name="seed">Last part of its ids, the same for every try of one request.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">400, 415: no model by its names; 404, 409: the base model.</exception>
    public async Task<(StoredModel Model, ModelTask Task)> ExecuteAsync(string accountId, ModelUpload upload, string seed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(upload);
        ArgumentNullException.ThrowIfNull(seed);
        UploadedModelNames.Require([.. upload.Files.Select(file => file.Filename)]);
        var (under, target) = await FindBaseAsync(accountId, upload, cancellation);
        var model = new StoredModel
        {
            Id = $"custom/{Slug(upload.Name)}-{seed[^8..]}",
            AccountId = accountId,
            Name = upload.Name,
            Description = upload.Description ?? $"{upload.Name}, uploaded.",
            Category = "custom",
            Status = ModelStatuses.Validating,
            StatusReason = "It is being checked: formats, shapes, finite weights, and whether it loads and answers.",
            BaseModelId = under?.Id,
            ParameterCount = under?.ParameterCount ?? 0,
            ContextLength = under?.ContextLength ?? 0,
            SupportedTasks = under?.SupportedTasks ?? [],
            CreatedAt = time.GetUtcNow(),
        };
        var task = new ModelTask
        {
            Id = "mtask-" + seed,
            AccountId = accountId,
            Kind = ModelTaskKind.Check,
            ModelId = model.Id,
            Draft = model,
            Target = target,
            Uploads = upload.Files,
            CreatedAt = model.CreatedAt,
        };
        try
        {
            // The task first: it knows the model, and the sweep finds it should this die before the next line.
            await tasks.CreateAsync(task, cancellation);
        }
        catch (AlreadyExistsException)
        {
            // An earlier try of this request got as far as here; what this one stored is nobody's.
            await DiscardAsync(upload.Files, cancellation);
            return (await models.FindAsync(accountId, model.Id, cancellation) ?? model, task);
        }

        foreach (var fileId in upload.Files.Select(file => file.FileId).OfType<string>())
        {
            // Only now that the task says who reads it (see DeleteFile). If it was deleted at the last moment, the check will miss it and say so.
            await files.TouchAsync(accountId, fileId, cancellation);
        }

        await models.UpsertAsync(model, cancellation);
        return (model, task);
    }

    private async Task<(StoredModel? Model, GenerationTarget? Target)> FindBaseAsync(string accountId, ModelUpload upload, CancellationToken cancellation)
    {
        if (upload.BaseModelId is not { } id)
        {
            return upload.Files.Any(file => file.Filename == "adapter_config.json")
                ? throw ApiErrors.Invalid("An adapter needs base_model: the id of the model that it was trained on.", "base_model", "missing_required_parameter")
                : default;
        }

        var (model, target) = await catalog.ResolveAsync(accountId, id, "base_model", cancellation);
        return target.Adapter is null
            ? (model, target)
            : throw ApiErrors.Invalid($"'{ApiErrors.Shorten(id)}' is itself an adapter over '{model.BaseModelId}'; name that one.", "base_model");
    }

    private static string Slug(string name)
    {
        var slug = string.Concat(name.Take(48).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' ? char.ToLowerInvariant(c) : '-')).Trim('-', '.');
        return slug.Length == 0 ? "model" : slug;
    }
}
