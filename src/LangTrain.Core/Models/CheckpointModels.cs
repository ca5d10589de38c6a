using System.Globalization;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Models;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models;

/// <summary>Stored checkpoints of jobs as models: the id of the job's model, then <c>:ckpt-step-N</c>. There as long as the checkpoint is. Thread-safe.</summary>
/// <remarks>A row that only points from that id to the job is written before the first checkpoint is made known, since the model's own row comes with the job's end, if it comes.</remarks>
public sealed class CheckpointModels(IModelStore store, IFineTuneStore jobs, BlobFolder folders, StorageNames names, TimeProvider time)
{
    private const string StepMark = ":ckpt-step-", PointerMark = ":ckpt";
    private const int MostDigits = 9;

    /// <summary>Id of the model that a job's checkpoint is.</summary>
    /// <param name="job">The job.</param>
    /// <param name="step">Optimizer steps done.</param>
    public static string IdOf(FineTune job, int step) => string.Create(CultureInfo.InvariantCulture, $"{RegisterFineTunedModel.IdOf(job)}{StepMark}{step}");

    /// <summary>Whether an id is of this form.</summary>
    public static bool IsOne(string modelId) => Split(modelId) is not null;

    /// <summary>Makes sure that the ids of a job's checkpoints lead to it.</summary>
    public async Task PointAsync(FineTune job, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        var id = RegisterFineTunedModel.IdOf(job) + PointerMark;
        await store.UpsertAsync(new StoredModel
        {
            Id = id, AccountId = job.AccountId, Name = id, Description = "", Category = "custom", Status = ModelStatuses.Pointer, JobId = job.Id, CreatedAt = time.GetUtcNow(),
        }, cancellation);
    }

    /// <summary>The model that a checkpoint is; null when the account has no such checkpoint (any more).</summary>
    public async Task<StoredModel?> FindAsync(string accountId, string modelId, CancellationToken cancellation = default)
    {
        if (Split(modelId) is not var (stem, step)
            || (await store.FindAsync(accountId, stem + PointerMark, cancellation) ?? await store.FindAsync(accountId, stem, cancellation)) is not { JobId: { } jobId }
            || await jobs.FindAsync(new FineTuneRef(accountId, jobId), cancellation) is not { Value: { } job }
            || IdOf(job, step) != modelId)
        {
            return null;
        }

        var folder = string.Create(CultureInfo.InvariantCulture, $"{accountId}/{jobId}/step-{step}");
        if (await folders.FindRevisionAsync(names.CheckpointsContainer, folder, cancellation) is not { } revision)
        {
            return null;
        }

        var trainedFrom = await store.FindAsync(null, job.BaseModelId, cancellation) ?? await store.FindAsync(accountId, job.BaseModelId, cancellation);
        var source = new ModelSource { Kind = ModelSource.Blob, Container = names.CheckpointsContainer, Folder = folder, Revision = revision };
        var isFull = job.Config.Method == "full";
        return new StoredModel
        {
            Id = modelId,
            AccountId = accountId,
            Name = string.Create(CultureInfo.InvariantCulture, $"{job.Name ?? stem}, step {step}"),
            Description = string.Create(CultureInfo.InvariantCulture, $"Checkpoint of job {jobId} after {step} steps."),
            Category = "custom",
            ParameterCount = trainedFrom?.ParameterCount ?? 0,
            ContextLength = trainedFrom?.ContextLength ?? 0,
            SupportedTasks = trainedFrom?.SupportedTasks ?? ["completion"],
            Status = ModelStatuses.Ready,
            Weights = isFull ? source : null,
            Adapter = isFull ? null : source,
            Quantization = job.Config.Method == "qlora" ? "nf4" : null,
            BaseModelId = job.BaseModelId,
            JobId = jobId,
            CreatedAt = job.CreatedAt,
        };
    }

    private static (string Stem, int Step)? Split(string modelId)
    {
        var at = modelId.LastIndexOf(StepMark, StringComparison.Ordinal);
        if (at <= 0)
        {
            return null;
        }

        var digits = modelId.AsSpan(at + StepMark.Length);
        return digits.Length is > 0 and <= MostDigits && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? (modelId[..at], step) : null;
    }
}
