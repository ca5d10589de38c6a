using Azure.Core;

namespace LangTrain.AzureAdapters;

/// <summary>Where the adapters find their services. The host reads it from its settings; nothing here reads the environment. Immutable after start.</summary>
public sealed class AzureAdaptersOptions
{
    /// <summary>Connection string of the storage account (<c>UseDevelopmentStorage=true</c> is Azurite on its usual ports); null takes the endpoints below.</summary>
    public string? StorageConnectionString { get; set; }

    /// <summary>Name of the storage account, reached by <see cref="Credential"/>; null takes the three endpoints as given.</summary>
    public string? StorageAccountName { get; set; }

    /// <summary>Blob endpoint, where it is not <c>https://{account}.blob.core.windows.net</c>.</summary>
    public Uri? BlobServiceUri { get; set; }

    /// <summary>Queue endpoint, where it is not <c>https://{account}.queue.core.windows.net</c>.</summary>
    public Uri? QueueServiceUri { get; set; }

    /// <summary>Table endpoint, where it is not <c>https://{account}.table.core.windows.net</c>.</summary>
    public Uri? TableServiceUri { get; set; }

    /// <summary>Identity for everything without a key; null is the default chain (managed identity in Azure, the developer's own login elsewhere).</summary>
    public TokenCredential? Credential { get; set; }

    /// <summary>Client id of a user-assigned identity for the default chain, or null.</summary>
    public string? ManagedIdentityClientId { get; set; }

    /// <summary>Prefix of all names, so that tests can share a storage account; empty in production.</summary>
    public string NamePrefix { get; set; } = "";

    /// <summary>Receivings of a queue message before it is poison; host.json has the same number.</summary>
    public int MaxDequeueCount { get; set; } = 5;

    /// <summary><c>Endpoint=…;AccessKey=…;Version=1.0;</c> of Web PubSub; null takes <see cref="WebPubSubEndpoint"/>.</summary>
    public string? WebPubSubConnectionString { get; set; }

    /// <summary>Endpoint of Web PubSub, reached by <see cref="Credential"/>; null with no connection string means that there is none.</summary>
    public Uri? WebPubSubEndpoint { get; set; }

    /// <summary>Hub of the jobs' streams.</summary>
    public string WebPubSubHub { get; set; } = "jobs";

    /// <summary>Address of the workers that generate; null where this process does not ask them.</summary>
    public Uri? WorkerUri { get; set; }

    /// <summary>Key of the workers' internal API.</summary>
    public string? WorkerKey { get; set; }
}
