using LangTrain.LocalHost.Processes;
using Microsoft.Extensions.Configuration;

namespace LangTrain.LocalHost.Hosting;

/// <summary>Connection strings by the names that triggers use.</summary>
internal sealed class StorageConnections(IConfiguration configuration)
{
    /// <summary>The account of the host itself.</summary>
    public const string Default = "AzureWebJobsStorage";

    /// <summary>The connection string of a name; of the host's own account where there is no name.</summary>
    /// <exception cref="StartFailedException">The setting is absent.</exception>
    public string Get(string? name = null) =>
        configuration[name is null ? Default : "AzureWebJobs" + name] ?? configuration[name ?? Default]
        ?? throw new StartFailedException($"The setting {name ?? Default} with the storage account is absent.");
}
