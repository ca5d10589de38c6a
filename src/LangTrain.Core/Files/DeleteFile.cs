using LangTrain.Core.Errors;
using LangTrain.Core.FineTunes;

namespace LangTrain.Core.Files;

/// <summary>Deletes a file that no job still has to read. Thread-safe.</summary>
public sealed class DeleteFile(UploadedFiles files, IFineTuneStore jobs)
{
    // From then on a job has a copy of its own.
    private static readonly FineTuneStatus[] Unread = [FineTuneStatus.Created, FineTuneStatus.Validating];

    /// <summary>Deletes it.</summary>
    /// <exception cref="ApiException">404; 409 while a job is about to read it, which is named.</exception>
    public async Task ExecuteAsync(string accountId, string fileId, CancellationToken cancellation = default)
    {
        await files.GetAsync(accountId, fileId, cancellation);
        foreach (var status in Unread)
        {
            await foreach (var job in jobs.ListAllAsync(accountId, status, cancellation))
            {
                if (job.Dataset.FileId == fileId || job.Dataset.ValidationFileId == fileId)
                {
                    throw ApiErrors.Conflict("file_in_use", $"The job '{job.Id}' is about to read it. Cancel the job, or wait a moment.", shouldRetry: true);
                }
            }
        }

        await files.DeleteAsync(accountId, fileId, cancellation);
    }
}
