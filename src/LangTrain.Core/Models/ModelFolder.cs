using LangTrain.Core.Storage;

namespace LangTrain.Core.Models;

/// <summary>The files of a model, wherever they lie. Names have slashes and no leading one.</summary>
internal abstract class ModelFolder
{
    /// <summary>Names and sizes, by name.</summary>
    public abstract Task<IReadOnlyList<(string Name, long Bytes)>> ListAsync(CancellationToken cancellation);

    /// <summary>Opens a file; null when there is none.</summary>
    public abstract Task<Stream?> OpenAsync(string name, CancellationToken cancellation);

    /// <summary>A folder on this machine.</summary>
    public static ModelFolder Local(string path) => new LocalFolder(path);

    /// <summary>A blob prefix.</summary>
    public static ModelFolder Blobs(IBlobStore blobs, string container, string prefix) => new BlobPrefix(blobs, container, prefix.TrimEnd('/') + "/");

    private sealed class LocalFolder(string path) : ModelFolder
    {
        public override Task<IReadOnlyList<(string Name, long Bytes)>> ListAsync(CancellationToken cancellation) =>
            Task.FromResult<IReadOnlyList<(string, long)>>([.. new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories)
                .Select(file => (Path.GetRelativePath(path, file.FullName).Replace(Path.DirectorySeparatorChar, '/'), file.Length))
                .OrderBy(file => file.Item1, StringComparer.Ordinal)]);

        public override Task<Stream?> OpenAsync(string name, CancellationToken cancellation)
        {
            var file = Path.Combine(path, name);
            return Task.FromResult<Stream?>(File.Exists(file) ? File.OpenRead(file) : null);
        }
    }

    private sealed class BlobPrefix(IBlobStore blobs, string container, string prefix) : ModelFolder
    {
        public override async Task<IReadOnlyList<(string Name, long Bytes)>> ListAsync(CancellationToken cancellation)
        {
            var files = new List<(string, long)>();
            await foreach (var blob in blobs.ListAsync(container, prefix, cancellation))
            {
                files.Add((blob.Name[prefix.Length..], blob.Bytes));
            }

            return files;
        }

        public override Task<Stream?> OpenAsync(string name, CancellationToken cancellation) => blobs.OpenReadAsync(container, prefix + name, 0, cancellation);
    }
}
