using LangTrain.Core.Batches;
using LangTrain.Core.Errors;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Files;

/// <summary>Deletes a file that nobody still has to read. Thread-safe.</summary>
/// <remarks>
/// The version of the file's row is read first, then its readers are looked for, and the row is deleted at that version only. A reader (job, batch,
/// check of a model) is written down first and touches the file's row after that. So one of the two sees the other, whoever comes first: either the
/// reader is found here, or its touch makes this deletion look again, or it finds no file and says so.
/// </remarks>
public sealed class DeleteFile(UploadedFiles files, IFileStore rows, IFineTuneStore jobs, IBatchStore batches, IModelTaskStore tasks, TimeProvider time)
{
    private const int Tries = 5;

    // From then on a job has a copy of its own.
    private static readonly FineTuneStatus[] Unread = [FineTuneStatus.Created, FineTuneStatus.Validating];

    /// <summary>Deletes it.</summary>
    /// <exception cref="ApiException">404; 409 while somebody is about to read it, who is named.</exception>
    public async Task ExecuteAsync(string accountId, string fileId, CancellationToken cancellation = default)
    {
        for (var attempt = 1; attempt <= Tries; attempt++)
        {
            var row = await files.GetVersionAsync(accountId, fileId, cancellation);
            if (await FindReaderAsync(row.Value, cancellation) is { } reader)
            {
                throw ApiErrors.Conflict("file_in_use", $"The {reader} is about to read it. Cancel it, or wait a moment.", shouldRetry: true);
            }

            // Where it is gone, another deletion was faster, or this one was answered too late: the bytes go in any case.
            if (await rows.DeleteAsync(row, cancellation) || await rows.FindAsync(accountId, fileId, cancellation) is null)
            {
                await files.DeleteBytesAsync(row.Value, cancellation);
                return;
            }
        }

        throw ApiErrors.Conflict("file_in_use", "It is being used at this moment. Wait a little.", shouldRetry: true);
    }

    private async Task<string?> FindReaderAsync(StoredFile file, CancellationToken cancellation)
    {
        foreach (var status in Unread)
        {
            await foreach (var job in jobs.ListAllAsync(file.AccountId, status, cancellation))
            {
                if (job.Dataset.FileId == file.Id || job.Dataset.ValidationFileId == file.Id)
                {
                    return $"job '{job.Id}'";
                }
            }
        }

        return await FindBatchAsync(file, cancellation) ?? await FindCheckAsync(file, cancellation);
    }

    // Newest first, and none that is older than a batch may become: those of a day, of which those that have begun have a copy of its lines.
    private async Task<string?> FindBatchAsync(StoredFile file, CancellationToken cancellation)
    {
        if (file.Purpose != "batch")
        {
            return null;
        }

        for (PageRequest? page = new(100); page is not null;)
        {
            var found = await batches.ListAsync(file.AccountId, page, cancellation);
            foreach (var batch in found.Items)
            {
                if (batch.ExpiresAt <= time.GetUtcNow())
                {
                    return null;
                }

                if (batch.Status == BatchStatus.Validating && batch.InputFileId == file.Id)
                {
                    return $"batch '{batch.Id}'";
                }
            }

            page = found.HasMore ? page with { After = found.Items[^1].Id } : null;
        }

        return null;
    }

    private async Task<string?> FindCheckAsync(StoredFile file, CancellationToken cancellation)
    {
        await foreach (var task in tasks.ListAsync(file.AccountId, cancellation))
        {
            if (task is { Kind: ModelTaskKind.Check, Status: ModelTaskStatus.Queued or ModelTaskStatus.Running }
                && task.Uploads.Any(upload => !upload.IsOwned && upload.BlobName == file.BlobName))
            {
                return $"check of model '{task.ModelId}'";
            }
        }

        return null;
    }
}
