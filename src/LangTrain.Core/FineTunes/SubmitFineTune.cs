using System.Diagnostics;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Core.Models;
using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Takes a new fine-tune: checks what the request names and writes the job's row. The caller starts its orchestration. Thread-safe.</summary>
public sealed class SubmitFineTune(ModelCatalog models, IFileStore files, IFineTuneStore store, ChangeFineTune change, TimeProvider time)
{
    /// <summary>Writes the row, or finds the one that an earlier try of the same request wrote.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="request">What for.</param>
    /// <param name="idSeed">Last part of the job's id, the same for every try of one request.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">404 for a model or file that is not there; 409 for a model that is not ready; 400 for one that cannot be trained.</exception>
    public async Task<FineTune> ExecuteAsync(Caller caller, FineTuneRequest request, string idSeed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        var (model, target) = await models.ResolveAsync(caller.AccountId, request.ModelId, "model_id", cancellation);
        if (target.Adapter is not null || !model.SupportedTasks.Contains("fine-tuning"))
        {
            throw ApiErrors.Invalid(
                $"The model '{ApiErrors.Shorten(request.ModelId)}' cannot be trained further: it is an adapter over '{model.BaseModelId}'. Train that one.",
                "model_id", "model_not_trainable");
        }

        if (request.Config.TrainingConfig.MaxSeqLength is { } length && model.ContextLength > 0 && length > model.ContextLength)
        {
            throw ApiErrors.Invalid(
                $"config.training_config.max_seq_length is {length}; the model's context holds {model.ContextLength} tokens.", "config.training_config.max_seq_length");
        }

        await RequireFileAsync(caller.AccountId, request.Dataset.FileId, "dataset.file_id", cancellation);
        await RequireFileAsync(caller.AccountId, request.Dataset.ValidationFileId, "dataset.validation_file_id", cancellation);

        var job = new FineTune
        {
            Id = "ftjob-" + idSeed,
            AccountId = caller.AccountId,
            KeyId = caller.Key.Id,
            Name = request.Name,
            ModelId = request.ModelId,
            BaseModelId = model.Id,
            BaseModel = target.Base,
            Dataset = request.Dataset,
            Config = request.Config,
            Suffix = request.Suffix,
            Metadata = request.Metadata,
            TraceParent = Activity.Current?.Id,
            CreatedAt = time.GetUtcNow(),
            PendingEvents =
            [
                new JobEventDraft { Key = "status-0", Type = JobEventTypes.Status, Timestamp = time.GetUtcNow(), Status = FineTuneStatus.Created.Word() },
            ],
        };
        try
        {
            await store.CreateAsync(job, cancellation);
        }
        catch (AlreadyExistsException)
        {
            // An earlier try of this request got as far as here.
        }

        // Tells what is pending.
        return (await change.ExecuteAsync(job.Ref(), (FineTune _) => (FineTune?)null, cancellation))?.Value ?? job;
    }

    private async Task RequireFileAsync(string accountId, string? fileId, string param, CancellationToken cancellation)
    {
        if (fileId is not null && await files.FindAsync(accountId, fileId, cancellation) is null)
        {
            throw ApiErrors.NotFound("file", fileId, param);
        }
    }
}
