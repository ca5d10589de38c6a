using System.Security.Cryptography;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Models;
using LangTrain.Core.Models;
using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Makes what a fine-tune stored a model that can be used. Thread-safe.</summary>
/// <remarks>The model's id is a function of the job, so running twice makes one model.</remarks>
public sealed class RegisterFineTunedModel(IModelStore models, IBlobStore blobs, StorageNames names, TimeProvider time)
{
    /// <summary>Writes the model's row.</summary>
    /// <returns>Its id; null when the stored files are not complete, so that there is no model.</returns>
    public async Task<string?> ExecuteAsync(FineTune job, TrainingOutcome outcome, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(outcome);
        if (await RevisionAsync(outcome.ArtifactPrefix, cancellation) is not { } revision)
        {
            return null;
        }

        var id = IdOf(job);
        var existing = await models.FindAsync(job.AccountId, id, cancellation);
        var trainedFrom = await models.FindAsync(null, job.BaseModelId, cancellation) ?? await models.FindAsync(job.AccountId, job.BaseModelId, cancellation);
        var source = new ModelSource { Kind = ModelSource.Blob, Folder = outcome.ArtifactPrefix, Container = names.ModelsContainer, Revision = revision };
        var isAdapter = outcome.ArtifactKind == "adapter";
        await models.UpsertAsync(new StoredModel
        {
            Id = id,
            AccountId = job.AccountId,
            Name = job.Name ?? id,
            Description = $"{job.BaseModelId} fine-tuned by job {job.Id} (method {job.Config.Method}).",
            Category = "custom",
            ParameterCount = trainedFrom?.ParameterCount ?? 0,
            ContextLength = trainedFrom?.ContextLength ?? 0,
            SupportedTasks = trainedFrom?.SupportedTasks ?? ["completion"],
            Status = "ready",
            Weights = isAdapter ? null : source,
            Adapter = isAdapter ? source : null,
            Quantization = job.Config.Method == "qlora" ? "nf4" : null,
            BaseModelId = job.BaseModelId,
            ParentModelId = job.StartAdapter is null ? null : job.ModelId,
            JobId = job.Id,
            CreatedAt = existing?.CreatedAt ?? time.GetUtcNow(),
        }, cancellation);
        return id;
    }

    /// <summary>Id of the model that a job makes: <c>ft:base:user:suffix:short</c>; made of what never changes.</summary>
    public static string IdOf(FineTune job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return $"ft:{job.BaseModelId}:{Tail(job.AccountId)}:{job.Suffix}:{Tail(job.Id)}";
    }

    // The last characters of an id are its random ones.
    private static string Tail(string id) => id.Length <= 8 ? id : id[^8..];

    private async Task<string?> RevisionAsync(string prefix, CancellationToken cancellation)
    {
        await using var manifest = await blobs.OpenReadAsync(names.ModelsContainer, prefix + "/manifest.json", 0, cancellation);
        return manifest is null ? null : Convert.ToHexStringLower(await SHA256.HashDataAsync(manifest, cancellation));
    }
}
