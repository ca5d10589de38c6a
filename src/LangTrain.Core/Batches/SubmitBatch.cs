using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Batches;

/// <summary>Takes a new batch: checks what the request names and writes the row. The caller starts its orchestration. Thread-safe.</summary>
public sealed class SubmitBatch(UploadedFiles files, IFileStore rows, IBatchStore store, TimeProvider time)
{
    /// <summary>The one completion window.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromHours(24);

    /// <summary>Writes the row, or finds the one that an earlier try of the same request wrote.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="request">What for.</param>
    /// <param name="idSeed">Last part of the batch's id, the same for every try of one request.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">404 without the file; 400 for a file of another purpose.</exception>
    public async Task<Batch> ExecuteAsync(Caller caller, BatchRequest request, string idSeed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        StoredFile file;
        try
        {
            file = await files.GetAsync(caller.AccountId, request.InputFileId, cancellation);
        }
        catch (ApiException missing) when (missing.Status == 404)
        {
            throw ApiErrors.NotFound("file", request.InputFileId, "input_file_id");
        }

        if (file.Purpose != "batch")
        {
            throw ApiErrors.Invalid($"The file was uploaded for '{ApiErrors.Shorten(file.Purpose)}'; a batch needs one with purpose 'batch'.", "input_file_id", "invalid_file_purpose");
        }

        var now = time.GetUtcNow();
        var batch = new Batch
        {
            Id = "batch-" + idSeed,
            AccountId = caller.AccountId,
            KeyId = caller.Key.Id,
            Endpoint = request.Endpoint,
            InputFileId = file.Id,
            Metadata = request.Metadata,
            OutputLifetime = request.OutputLifetime,
            CreatedAt = now,
            ExpiresAt = now + Window,
        };
        try
        {
            await store.CreateAsync(batch, cancellation);
        }
        catch (AlreadyExistsException)
        {
            // An earlier try of this request got as far as here.
            batch = (await store.FindAsync(batch.Ref(), cancellation))?.Value ?? batch;
        }

        // Only now that the row says who reads it (see DeleteFile). If it was deleted at the last moment, the batch will miss it and say so.
        await rows.TouchAsync(batch.AccountId, batch.InputFileId, cancellation);
        return batch;
    }
}
