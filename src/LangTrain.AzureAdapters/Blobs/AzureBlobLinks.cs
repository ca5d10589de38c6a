using System.Collections.Concurrent;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Blobs;

/// <summary>Shared access signatures for one blob each: of the account's key where the connection string has it (Azurite), else of a user delegation key of this process's identity. Thread-safe.</summary>
internal sealed class AzureBlobLinks(BlobServiceClient service, TimeProvider time) : IBlobLinks, IDisposable
{
    // Clocks of different machines are not the same.
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan DelegationLifetime = TimeSpan.FromHours(6), LongestLink = TimeSpan.FromHours(2);

    private readonly ConcurrentDictionary<string, LazyResource<BlobContainerClient>> _containers = new();
    private readonly SemaphoreSlim _one = new(1);
    private UserDelegationKey? _delegation;

    /// <inheritdoc/>
    public Task<Uri> ToReadAsync(string container, string name, TimeSpan lifetime, string filename, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(filename);
        var sas = Builder(container, name, lifetime);
        sas.SetPermissions(BlobSasPermissions.Read);
        sas.ContentDisposition = $"attachment; filename=\"{new string([.. filename.Select(c => c is '"' or '\\' || char.IsControl(c) || c > 126 ? '_' : c)])}\"";
        return SignAsync(sas, cancellation);
    }

    /// <inheritdoc/>
    public async Task<Uri> ToWriteAsync(string container, string name, TimeSpan lifetime, CancellationToken cancellation = default)
    {
        // A signature opens no container that is not there.
        await _containers.GetOrAdd(
            container,
            static (name, service) => new LazyResource<BlobContainerClient>(service.GetBlobContainerClient(name), c => c.CreateIfNotExistsAsync()),
            service).GetAsync(cancellation);
        var sas = Builder(container, name, lifetime);
        sas.SetPermissions(BlobSasPermissions.Create | BlobSasPermissions.Write);
        return await SignAsync(sas, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private BlobSasBuilder Builder(string container, string name, TimeSpan lifetime)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lifetime, LongestLink);
        var now = time.GetUtcNow();
        return new BlobSasBuilder
        {
            BlobContainerName = container,
            BlobName = name,
            Resource = "b",
            StartsOn = now - Skew,
            ExpiresOn = now + lifetime,
            Protocol = service.Uri.Scheme == Uri.UriSchemeHttps ? SasProtocol.Https : SasProtocol.HttpsAndHttp,
        };
    }

    private async Task<Uri> SignAsync(BlobSasBuilder sas, CancellationToken cancellation)
    {
        var blob = service.GetBlobContainerClient(sas.BlobContainerName).GetBlobClient(sas.BlobName);
        return blob.CanGenerateSasUri
            ? blob.GenerateSasUri(sas)
            : new BlobUriBuilder(blob.Uri) { Sas = sas.ToSasQueryParameters(await DelegationAsync(cancellation), service.AccountName) }.ToUri();
    }

    private async Task<UserDelegationKey> DelegationAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            var now = time.GetUtcNow();
            return _delegation is { } key && key.SignedExpiresOn > now + LongestLink
                ? key
                : _delegation = await service.GetUserDelegationKeyAsync(now - Skew, now + DelegationLifetime, cancellation);
        }
        finally
        {
            _one.Release();
        }
    }
}
