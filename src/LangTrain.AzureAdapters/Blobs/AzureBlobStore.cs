using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using LangTrain.Core.Storage;
using BlobInfo = LangTrain.Core.Storage.BlobInfo;

namespace LangTrain.AzureAdapters.Blobs;

/// <summary>Blobs of one storage account. Containers are made by the first write. Thread-safe.</summary>
internal sealed class AzureBlobStore(BlobServiceClient service) : IBlobStore
{
    private readonly ConcurrentDictionary<string, LazyResource<BlobContainerClient>> _containers = new();

    /// <inheritdoc/>
    public async Task<Stream?> OpenReadAsync(string container, string name, long offset = 0, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var blob = Container(container).Unchecked.GetBlobClient(name);
        try
        {
            // One request; a connection that breaks is taken up again where it broke, as long as the blob is the same.
            var options = new BlobDownloadOptions { Range = offset == 0 ? default : new Azure.HttpRange(offset) };
            return (await blob.DownloadStreamingAsync(options, cancellation)).Value.Content;
        }
        catch (RequestFailedException failure) when (failure.Status == 404)
        {
            return null;
        }
        catch (RequestFailedException failure) when (failure.Status == 416)
        {
            // From its end on a blob has nothing to read.
            return Stream.Null;
        }
    }

    /// <inheritdoc/>
    public async Task WriteAsync(string container, string name, Stream content, bool overwrite = true, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        var client = await Container(container).GetAsync(cancellation);
        await BlockUpload.RunAsync(client.GetBlockBlobClient(name), content, overwrite, cancellation);
    }

    /// <inheritdoc/>
    public async Task<BlobInfo?> FindAsync(string container, string name, CancellationToken cancellation = default)
    {
        try
        {
            var found = await Container(container).Unchecked.GetBlobClient(name).GetPropertiesAsync(cancellationToken: cancellation);
            return new BlobInfo(name, found.Value.ContentLength, found.Value.LastModified);
        }
        catch (RequestFailedException failure) when (failure.Status == 404)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<BlobInfo> ListAsync(
        string container, string prefix, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var blobs = Container(container).Unchecked.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellation).GetAsyncEnumerator(cancellation);
        await using (blobs.ConfigureAwait(false))
        {
            while (await MoveNextAsync(blobs))
            {
                var properties = blobs.Current.Properties;
                yield return new BlobInfo(blobs.Current.Name, properties.ContentLength ?? 0, properties.LastModified ?? default);
            }
        }
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string container, string name, CancellationToken cancellation = default) =>
        Container(container).Unchecked.GetBlobClient(name).DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellation);

    private static async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<BlobItem> blobs)
    {
        try
        {
            return await blobs.MoveNextAsync();
        }
        catch (RequestFailedException failure) when (failure.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            return false;
        }
    }

    private LazyResource<BlobContainerClient> Container(string name) => _containers.GetOrAdd(
        name,
        static (name, service) => new LazyResource<BlobContainerClient>(service.GetBlobContainerClient(name), c => c.CreateIfNotExistsAsync()),
        service);
}
