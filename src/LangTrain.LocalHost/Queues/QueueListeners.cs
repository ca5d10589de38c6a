using Azure.Storage.Queues;
using LangTrain.LocalHost.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LangTrain.LocalHost.Queues;

/// <summary>Runs a listener for every queue function.</summary>
internal sealed class QueueListeners(FunctionCatalog catalog, StorageConnections connections, IServiceProvider services) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(catalog.With<QueueFunctionTrigger>().Select(found =>
        {
            // Texts are decoded by the listener: the poison queue gets them as they came.
            var queues = new QueueServiceClient(
                connections.Get(found.Trigger.Connection), new QueueClientOptions { MessageEncoding = QueueMessageEncoding.None });
            var listener = ActivatorUtilities.CreateInstance<QueueListener>(services, found.Function, found.Trigger, queues);
            return Task.Run(() => listener.RunAsync(stoppingToken), CancellationToken.None);
        }));
}
