using LangTrain.AzureAdapters;

namespace LangTrain.Worker;

/// <summary>Reads where the worker's storage and relay are; the names are those of the Functions app.</summary>
internal static class WorkerStorage
{
    /// <summary>The adapters' options. That a storage account is given was checked with the rest of the settings (<see cref="WorkerOptions"/>).</summary>
    public static AzureAdaptersOptions From(IConfiguration configuration, WorkerOptions options)
    {
        static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
        return new AzureAdaptersOptions
        {
            StorageConnectionString = Given(configuration["AzureWebJobsStorage"]),
            StorageAccountName = Given(configuration["AzureWebJobsStorage:accountName"]),
            ManagedIdentityClientId = Given(configuration["AZURE_CLIENT_ID"]),
            NamePrefix = options.NamePrefix,
            WebPubSubConnectionString = Given(configuration["WebPubSubConnectionString"]),
            WebPubSubEndpoint = Given(configuration["LANGTRAIN_WEBPUBSUB_ENDPOINT"]) is { } endpoint ? new Uri(endpoint) : null,
        };
    }
}
