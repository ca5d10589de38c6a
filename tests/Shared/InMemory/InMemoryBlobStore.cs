using System.Runtime.CompilerServices;
using LangTrain.Core.Storage;

namespace LangTrain.Testing;

/// <summary>Blobs in memory; passes the same contract tests as the Azure store. Thread-safe.</summary>
public sealed class InMemoryBlobStore(TimeProvider? time = null) : IBlobStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Container, string Name), (byte[] Content, DateTimeOffset ModifiedAt)> _blobs = [];

    /// <summary>Called with container and name before a blob is written: a storage that does not answer.</summary>
    public Action<string, string>? BeforeWrite { get; set; }

    /// <summary>Content of a blob.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public byte[] Content(string container, string name)
    {
        lock (_lock)
        {
            return [.. _blobs[(container, name)].Content];
        }
    }

    public Task<Stream?> OpenReadAsync(string container, string name, long offset = 0, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        lock (_lock)
        {
            if (!_blobs.TryGetValue((container, name), out var blob))
            {
                return Task.FromResult<Stream?>(null);
            }

            var from = (int)Math.Min(offset, blob.Content.Length);
            return Task.FromResult<Stream?>(new MemoryStream(blob.Content, from, blob.Content.Length - from, writable: false));
        }
    }

    public async Task WriteAsync(string container, string name, Stream content, bool overwrite = true, CancellationToken cancellation = default)
    {
        BeforeWrite?.Invoke(container, name);
        using var copy = new MemoryStream();
        await content.CopyToAsync(copy, cancellation);
        lock (_lock)
        {
            if (!overwrite && _blobs.ContainsKey((container, name)))
            {
                throw new AlreadyExistsException($"Blob {container}/{name}");
            }

            _blobs[(container, name)] = (copy.ToArray(), (time ?? TimeProvider.System).GetUtcNow());
        }
    }

    public Task<BlobInfo?> FindAsync(string container, string name, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return Task.FromResult(
                _blobs.TryGetValue((container, name), out var blob) ? new BlobInfo(name, blob.Content.Length, blob.ModifiedAt) : null);
        }
    }

    public async IAsyncEnumerable<BlobInfo> ListAsync(
        string container, string prefix, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        BlobInfo[] found;
        lock (_lock)
        {
            found =
            [
                .. _blobs.Where(blob => blob.Key.Container == container && blob.Key.Name.StartsWith(prefix, StringComparison.Ordinal))
                    .Select(blob => new BlobInfo(blob.Key.Name, blob.Value.Content.Length, blob.Value.ModifiedAt))
                    .OrderBy(blob => blob.Name, StringComparer.Ordinal),
            ];
        }

        foreach (var blob in found)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return blob;
        }

        await Task.CompletedTask;
    }

    public Task DeleteAsync(string container, string name, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            _blobs.Remove((container, name));
        }

        return Task.CompletedTask;
    }
}
