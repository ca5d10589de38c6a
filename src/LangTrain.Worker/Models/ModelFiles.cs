using System.Collections.Concurrent;
using LangTrain.Contracts.Models;
using LangTrain.Core.Storage;

namespace LangTrain.Worker.Models;

/// <summary>Gives the files of a model as a local folder: in place from the models directory, or fetched from blobs once a revision.</summary>
/// <remarks>Thread-safe; a model asked for by many at once is fetched once.</remarks>
internal sealed class ModelFiles(BlobFolder folders, WorkerOptions options)
{
    private readonly ConcurrentDictionary<(string, string, string), Lazy<Task<string>>> _fetched = new();

    /// <summary>The local folder; not to be written to.</summary>
    /// <exception cref="ModelFilesMissingException">The files are not where the model's row says.</exception>
    public async Task<string> GetFolderAsync(ModelSource source, CancellationToken cancellation)
    {
        switch (source.Kind)
        {
            case ModelSource.ModelsDirectory:
                var root = options.ModelsDirectory is { } directory ? Path.GetFullPath(directory) : null;
                var folder = root is null ? null : Path.GetFullPath(Path.Combine(root, source.Folder));
                return folder is not null && folder.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal) && Directory.Exists(folder)
                    ? folder
                    : throw new ModelFilesMissingException($"The folder '{source.Folder}' is not in this worker's LANGTRAIN_MODELS_DIR.");

            case ModelSource.Blob:
                var key = (source.Container ?? options.Names.ModelsContainer, source.Folder, source.Revision);
                var fetching = _fetched.GetOrAdd(key, k => new Lazy<Task<string>>(() => FetchAsync(k.Item1, k.Item2, k.Item3)));
                try
                {
                    return await fetching.Value.WaitAsync(cancellation);
                }
                catch when (fetching.Value.IsFaulted)
                {
                    // The next request tries again.
                    _fetched.TryRemove(new KeyValuePair<(string, string, string), Lazy<Task<string>>>(key, fetching));
                    throw;
                }

            default:
                throw new ModelFilesMissingException($"This worker does not know the model source '{source.Kind}'.");
        }
    }

    private async Task<string> FetchAsync(string container, string prefix, string revision)
    {
        // By revision, so that a model whose content changed is another folder, and an old one stays whole while it is in use.
        var local = Path.Combine(options.ScratchDirectory, "models", container, prefix.Replace('/', Path.DirectorySeparatorChar), revision);
        try
        {
            return await folders.TryDownloadAsync(container, prefix, local, CancellationToken.None)
                ? local
                : throw new ModelFilesMissingException($"The files of the model are not in storage ('{prefix}' in container '{container}').");
        }
        catch (InvalidDataException damaged)
        {
            throw new ModelFilesMissingException($"The files of the model in storage ('{prefix}' in container '{container}') are damaged, or being replaced: {damaged.Message}", mayPass: true, damaged);
        }
    }
}
