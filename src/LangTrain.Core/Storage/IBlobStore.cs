namespace LangTrain.Core.Storage;

/// <summary>Named byte sequences in containers (names from <c>StorageNames</c>). Thread-safe.</summary>
/// <remarks>
/// A blob is seen whole or not at all: <see cref="WriteAsync"/> that dies half-way leaves what was there before. Every method may throw
/// <see cref="IOException"/> or the storage's own exception when storage does not answer after the adapter's own retries.
/// </remarks>
public interface IBlobStore
{
    /// <summary>Opens a blob for reading from <paramref name="offset"/>, as a stream of its content at this moment; null when there is none.</summary>
    Task<Stream?> OpenReadAsync(string container, string name, long offset = 0, CancellationToken cancellation = default);

    /// <summary>Writes a blob from a stream of any length, in bounded memory.</summary>
    /// <param name="container">Container; made when absent.</param>
    /// <param name="name">Blob name.</param>
    /// <param name="content">Read to its end.</param>
    /// <param name="overwrite">False: throws <see cref="AlreadyExistsException"/> when there is one.</param>
    /// <param name="cancellation">Stops it.</param>
    Task WriteAsync(string container, string name, Stream content, bool overwrite = true, CancellationToken cancellation = default);

    /// <summary>Size and last change; null when there is none.</summary>
    Task<BlobInfo?> FindAsync(string container, string name, CancellationToken cancellation = default);

    /// <summary>Blobs whose name begins with <paramref name="prefix"/>, by name.</summary>
    IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix, CancellationToken cancellation = default);

    /// <summary>Deletes a blob; no error when there is none.</summary>
    Task DeleteAsync(string container, string name, CancellationToken cancellation = default);
}
