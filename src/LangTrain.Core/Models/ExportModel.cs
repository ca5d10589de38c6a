using System.Security.Cryptography;
using System.Text;
using LangTrain.Contracts;
using LangTrain.Contracts.Models;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models;

/// <summary>Body of <c>POST /models/{id}/export</c>, checked.</summary>
/// <param name="Format"><c>peft</c>, <c>merged</c> or <c>gguf</c>.</param>
/// <param name="Dtype"><c>f32</c>, <c>f16</c>, <c>bf16</c>, <c>q8_0</c> (GGUF only); null keeps weights as they are.</param>
public sealed record ExportRequest(string Format, string? Dtype)
{
    /// <summary>Reads it.</summary>
    /// <exception cref="ApiException">400.</exception>
    public static ExportRequest FromRequest(RequestObject request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var format = request.OneOf("format", "peft", "merged", "gguf");
        if (!request.Has("format"))
        {
            request.Missing("format");
        }

        var dtype = format switch
        {
            "gguf" => request.OneOf("dtype", "f32", "f16", "bf16", "q8_0") ?? "f16",
            "merged" => request.OneOf("dtype", "f32", "f16", "bf16"),
            _ => request.Text("dtype"),
        };
        if (format == "peft" && dtype is not null)
        {
            request.Problems.Add("dtype", "dtype goes with 'merged' and 'gguf'; an adapter is given out as it was trained, in f32.");
        }

        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        return new ExportRequest(format!, dtype);
    }
}

/// <summary>Exports of models and their files, with addresses to take them from. The caller starts the task's orchestration. Thread-safe.</summary>
public sealed class ExportModel(ModelCatalog catalog, IModelTaskStore tasks, BlobFolder folders, IBlobLinks links, StorageNames names, TimeProvider time)
{
    private const string Prefix = "export-";

    private static readonly TimeSpan LinkLifetime = TimeSpan.FromMinutes(15);

    // Beside the files of a model, for this service only.
    private static readonly string[] Internal = ["training_outcome.json", "optimizer.safetensors", "state.json", "manifest.json"];

    /// <summary>Starts an export, or finds the one of this model, format and dtype that is there; one that failed is tried anew.</summary>
    /// <exception cref="ApiException">404; 409 for a model that is not ready; 400 for a format that it cannot have.</exception>
    public async Task<ModelTask> StartAsync(Caller caller, string modelId, ExportRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        var (model, target) = await catalog.ResolveAsync(caller.AccountId, modelId, null, cancellation);
        RequireOwn(model);
        if (request.Format == "peft" && target.Adapter is null)
        {
            throw ApiErrors.Invalid($"The model '{ApiErrors.Shorten(modelId)}' is full weights and no adapter; export it as 'merged' or 'gguf'.", "format", "not_an_adapter");
        }

        var task = new ModelTask
        {
            Id = IdOf(caller.AccountId, model, request),
            AccountId = caller.AccountId,
            Kind = ModelTaskKind.Export,
            ModelId = model.Id,
            Target = target,
            Format = request.Format,
            Dtype = request.Dtype,
            CreatedAt = time.GetUtcNow(),
        };
        while (true)
        {
            try
            {
                if (await tasks.FindAsync(task.Ref(), cancellation) is not { } row)
                {
                    await tasks.CreateAsync(task, cancellation);
                    return task;
                }

                return row.Value is { Status: ModelTaskStatus.Failed, IsSettled: true } failed
                    ? (await tasks.UpdateAsync(row, task with { Attempt = failed.Attempt + 1, Lease = failed.Lease }, cancellation)).Value
                    : row.Value;
            }
            catch (Exception race) when (race is AlreadyExistsException or StaleWriteException)
            {
                // Somebody else asks for the same; theirs counts.
            }
        }
    }

    /// <summary>An export of a model.</summary>
    /// <exception cref="ApiException">404.</exception>
    public async Task<ModelTask> GetAsync(Caller caller, string modelId, string exportId, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(exportId);
        var found = Ids.IsOf("export", exportId) ? await tasks.FindAsync(new ModelTaskRef(caller.AccountId, exportId), cancellation) : null;
        return found is { Value: { Kind: ModelTaskKind.Export } export } && export.ModelId == modelId && export.Status != ModelTaskStatus.Cancelled
            ? export
            : throw ApiErrors.NotFound("export", exportId);
    }

    /// <summary>The exports of a model, newest first.</summary>
    /// <exception cref="ApiException">404.</exception>
    public async Task<IReadOnlyList<ModelTask>> ListAsync(Caller caller, string modelId, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var model = await catalog.FindAsync(caller.AccountId, modelId, cancellation) ?? throw ApiErrors.NotFound("model", modelId);
        var found = new List<ModelTask>();
        await foreach (var task in tasks.ListAsync(caller.AccountId, cancellation))
        {
            if (task.Kind == ModelTaskKind.Export && task.ModelId == model.Id && task.Status != ModelTaskStatus.Cancelled)
            {
                found.Add(task);
            }
        }

        return [.. found.OrderByDescending(task => task.CreatedAt)];
    }

    /// <summary>How an export is shown.</summary>
    public async Task<ModelExportAnswer> ToAnswerAsync(ModelTask export, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(export);
        return new ModelExportAnswer
        {
            Id = export.Id,
            Model = export.ModelId,
            Format = export.Format ?? "",
            Dtype = export.Dtype,
            Status = export.Status switch
            {
                ModelTaskStatus.Queued => "queued",
                ModelTaskStatus.Running => "running",
                ModelTaskStatus.Succeeded => "completed",
                _ => "failed",
            },
            Error = export.Error,
            CreatedAt = export.CreatedAt.ToUnixTimeSeconds(),
            FinishedAt = export.FinishedAt?.ToUnixTimeSeconds(),
            Notes = export.Result?.Notes ?? [],
            Files = export is { Status: ModelTaskStatus.Succeeded, Result: { } made } ? await LinksAsync(names.ModelsContainer, made.Prefix, cancellation) : [],
        };
    }

    /// <summary>The files of a model of the account as they are stored, each with an address for a short time.</summary>
    /// <exception cref="ApiException">404; 403 for a base model; 409 for one that is not ready.</exception>
    public async Task<IReadOnlyList<ModelFileAnswer>> FilesAsync(Caller caller, string modelId, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var (model, target) = await catalog.ResolveAsync(caller.AccountId, modelId, null, cancellation);
        RequireOwn(model);
        return (target.Adapter ?? target.Base) is { Kind: ModelSource.Blob, Container: { } container } source
            ? await LinksAsync(container, source.Folder, cancellation)
            : throw ApiErrors.Conflict("model_not_ready", "The model's files are not in storage.");
    }

    /// <summary>The files of a folder that are given out: all but those for this service only.</summary>
    internal static IEnumerable<FolderFile> FilesToGive(FolderManifest manifest) => manifest.Files.Where(file => !Internal.Contains(file.Name));

    /// <summary>Ends a request for the files of a model that is not the account's own.</summary>
    /// <exception cref="ApiException">403.</exception>
    internal static void RequireOwn(StoredModel model)
    {
        if (model.AccountId is null)
        {
            throw ApiErrors.Forbidden("base_model", "Files of base models are not given out here; take them from where they are published.");
        }
    }

    private async Task<IReadOnlyList<ModelFileAnswer>> LinksAsync(string container, string prefix, CancellationToken cancellation)
    {
        var manifest = await folders.FindAsync(container, prefix, cancellation)
            ?? throw ApiErrors.Conflict("model_not_ready", "The model's files are not complete in storage.");
        var until = (time.GetUtcNow() + LinkLifetime).ToUnixTimeSeconds();
        var files = new List<ModelFileAnswer>();
        foreach (var file in FilesToGive(manifest))
        {
            var url = await links.ToReadAsync(container, $"{prefix}/{file.Name}", LinkLifetime, file.Name, cancellation);
            files.Add(new ModelFileAnswer(file.Name, file.Bytes, file.Sha256, url, until));
        }

        return files;
    }

    // Of all that decides what comes out, so that asking twice makes one.
    private static string IdOf(string accountId, StoredModel model, ExportRequest request)
    {
        var text = string.Join('\n', accountId, model.Id, model.Weights?.Revision, model.Adapter?.Revision, request.Format, request.Dtype);
        return Prefix + Ids.BodyOf(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
