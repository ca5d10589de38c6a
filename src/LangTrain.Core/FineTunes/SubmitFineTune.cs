using System.Diagnostics;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Takes a new fine-tune: checks what the request names and writes the job's row. The caller starts its orchestration. Thread-safe.</summary>
public sealed class SubmitFineTune(CheckFineTune check, IFineTuneStore store, IFileStore files, ChangeFineTune change, TimeProvider time)
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
        var (model, target, config) = await check.ExecuteAsync(caller, request, cancellation);
        var job = new FineTune
        {
            Id = "ftjob-" + idSeed,
            AccountId = caller.AccountId,
            KeyId = caller.Key.Id,
            Name = request.Name,
            ModelId = request.ModelId,
            // An adapter goes on over the model that it was trained on.
            BaseModelId = target.Adapter is null ? model.Id : model.BaseModelId!,
            BaseModel = target.Base,
            StartAdapter = target.Adapter,
            Dataset = request.Dataset,
            Config = config,
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

        // Only now that the row says who reads them (see DeleteFile). One that was deleted at the last moment the job will miss, and say so.
        foreach (var fileId in (string?[])[job.Dataset.FileId, job.Dataset.ValidationFileId])
        {
            if (fileId is not null)
            {
                await files.TouchAsync(job.AccountId, fileId, cancellation);
            }
        }

        // Tells what is pending.
        return (await change.ExecuteAsync(job.Ref(), (FineTune _) => (FineTune?)null, cancellation))?.Value ?? job;
    }
}
