using LangTrain.Contracts;
using LangTrain.Core.Models;
using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Removes what the attempts of an ended job have left that nothing names: results of attempts that do not count, checkpoints that were never whole. Thread-safe, can be run again.</summary>
public sealed class TidyFineTune(IBlobStore blobs, IModelStore models, StorageNames names)
{
    /// <summary>Does it.</summary>
    public async Task ExecuteAsync(FineTune job, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        if (job.Lease is null)
        {
            // No worker ever had it.
            return;
        }

        if (job.Status != FineTuneStatus.Completed)
        {
            // Registered in the moment in which its owner cancelled.
            await models.DeleteAsync(job.AccountId, RegisterFineTunedModel.IdOf(job), cancellation);
        }

        var prefix = $"{job.AccountId}/{job.Id}/";
        var result = job.Status == FineTuneStatus.Completed ? job.Outcome?.ArtifactPrefix + "/" : null;
        await foreach (var blob in blobs.ListAsync(names.ModelsContainer, prefix, cancellation))
        {
            if (result is null || !blob.Name.StartsWith(result, StringComparison.Ordinal))
            {
                await blobs.DeleteAsync(names.ModelsContainer, blob.Name, cancellation);
            }
        }

        await TidyCheckpointsAsync(prefix, cancellation);
    }

    private async Task TidyCheckpointsAsync(string prefix, CancellationToken cancellation)
    {
        var files = new List<string>();
        await foreach (var blob in blobs.ListAsync(names.CheckpointsContainer, prefix, cancellation))
        {
            files.Add(blob.Name);
        }

        foreach (var folder in files.GroupBy(name => name[..(name.IndexOf('/', prefix.Length) + 1)]))
        {
            if (!folder.Contains(folder.Key + FolderManifest.FileName))
            {
                foreach (var file in folder)
                {
                    await blobs.DeleteAsync(names.CheckpointsContainer, file, cancellation);
                }
            }
        }
    }
}
