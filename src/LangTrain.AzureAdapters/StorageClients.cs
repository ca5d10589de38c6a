using System.Collections.Concurrent;
using System.Text.Json.Serialization.Metadata;
using Azure.Core;
using Azure.Data.Tables;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using LangTrain.AzureAdapters.Queues;
using LangTrain.Contracts;
using Microsoft.Extensions.Logging;

namespace LangTrain.AzureAdapters;

/// <summary>The storage account's tables, queues and containers, each made at its first use. One a process. Thread-safe.</summary>
internal sealed class StorageClients
{
    // Table storage itself gives up after 30 seconds, a queue too; the usual 100, four times, is longer than any front waits for an answer.
    private static readonly TimeSpan LongestRow = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<string, LazyResource<TableClient>> _tables = new();
    private readonly TableServiceClient _tableService;
    private readonly TableServiceClient _tableServiceOnce;
    private readonly QueueServiceClient _queueService;
    private readonly int _maxDequeueCount;

    /// <exception cref="InvalidOperationException">The options name no storage account.</exception>
    public StorageClients(AzureAdaptersOptions options)
    {
        Names = new StorageNames(options.NamePrefix);
        _maxDequeueCount = options.MaxDequeueCount;
        // Blobs carry weights: a slow block is no reason to give up after the usual 100 seconds.
        var blobOptions = new BlobClientOptions { Retry = { NetworkTimeout = TimeSpan.FromMinutes(5) } };
        var queueOptions = new QueueClientOptions { MessageEncoding = QueueMessageEncoding.None, Retry = { NetworkTimeout = LongestRow } };
        var tableOptions = new TableClientOptions { Retry = { NetworkTimeout = LongestRow } };
        if (options.StorageConnectionString is { Length: > 0 } connection)
        {
            _tableService = new TableServiceClient(connection, tableOptions);
            _tableServiceOnce = new TableServiceClient(connection, Once());
            _queueService = new QueueServiceClient(connection, queueOptions);
            Blobs = new BlobServiceClient(connection, blobOptions);
            return;
        }

        var credential = CredentialOf(options);
        _tableService = new TableServiceClient(Endpoint(options.TableServiceUri, "table"), credential, tableOptions);
        _tableServiceOnce = new TableServiceClient(Endpoint(options.TableServiceUri, "table"), credential, Once());
        _queueService = new QueueServiceClient(Endpoint(options.QueueServiceUri, "queue"), credential, queueOptions);
        Blobs = new BlobServiceClient(Endpoint(options.BlobServiceUri, "blob"), credential, blobOptions);

        Uri Endpoint(Uri? given, string service) => given ?? (options.StorageAccountName is { Length: > 0 } account
            ? new Uri($"https://{account}.{service}.core.windows.net")
            : throw new InvalidOperationException($"No storage account is given: neither a connection string, nor an account name, nor a {service} endpoint."));
    }

    /// <summary>Names of everything in the account.</summary>
    public StorageNames Names { get; }

    /// <summary>The blob service.</summary>
    public BlobServiceClient Blobs { get; }

    /// <summary>The identity that the options give, or the default one.</summary>
    public static TokenCredential CredentialOf(AzureAdaptersOptions options) => options.Credential
        ?? new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = options.ManagedIdentityClientId });

    /// <summary>A table; the same object for the same name.</summary>
    public LazyResource<TableClient> Table(string name) => _tables.GetOrAdd(
        name, key => new LazyResource<TableClient>(_tableService.GetTableClient(key), client => client.CreateIfNotExistsAsync()));

    /// <summary>A table to which each request is sent once: for writes whose second sending would not be the same as the first.</summary>
    public LazyResource<TableClient> TableOnce(string name) =>
        new(_tableServiceOnce.GetTableClient(name), _ => Table(name).GetAsync(CancellationToken.None).AsTask());

    /// <summary>A container of which the process keeps a client of its own.</summary>
    public LazyResource<BlobContainerClient> Container(string name) => new(Blobs.GetBlobContainerClient(name), client => client.CreateIfNotExistsAsync());

    /// <summary>A queue with its poison queue.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="json">How messages are written.</param>
    /// <param name="logger">Told of moved messages.</param>
    /// <param name="maxDequeueCount">Receivings of a message before it is poison; null is what the options say.</param>
    public StorageWorkQueue<T> Queue<T>(string name, JsonTypeInfo<T> json, ILogger logger, int? maxDequeueCount = null)
        where T : class =>
        new(QueueClient(name), QueueClient(name + "-poison"), json, maxDequeueCount ?? _maxDequeueCount, logger);

    private static TableClientOptions Once() => new() { Retry = { MaxRetries = 0, NetworkTimeout = TimeSpan.FromSeconds(10) } };

    private LazyResource<QueueClient> QueueClient(string name) => new(_queueService.GetQueueClient(name), client => client.CreateIfNotExistsAsync());
}
