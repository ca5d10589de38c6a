using LangTrain.AzureAdapters;

namespace LangTrain.Worker;

/// <summary>Reads where the worker's storage and relay are; the names are those of the Functions app.</summary>
internal static class WorkerStorage
{
    /// <summary>The adapters' options.</summary>
    /// <exception cref="InvalidOperationException">No storage account is given.</exception>
    public static AzureAdaptersOptions From(IConfiguration configuration, WorkerOptions options)
    {
        static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
        var connection = Given(configuration["AzureWebJobsStorage"]);
        var account = Given(configuration["AzureWebJobsStorage:accountName"]);
        if (connection is null && account is null)
        {
            throw new InvalidOperationException("The worker's settings are not complete: AzureWebJobsStorage (or AzureWebJobsStorage__accountName) is missing.");
        }

        return new AzureAdaptersOptions
        {
            StorageConnectionString = connection,
            StorageAccountName = account,
            ManagedIdentityClientId = Given(configuration["AZURE_CLIENT_ID"]),
            NamePrefix = options.NamePrefix,
            WebPubSubConnectionString = Given(configuration["WebPubSubConnectionString"]),
            WebPubSubEndpoint = Given(configuration["LANGTRAIN_WEBPUBSUB_ENDPOINT"]) is { } endpoint ? new Uri(endpoint) : null,
        };
    }
}
