using Azure.Storage.Blobs;
using LangTrain.LocalHost.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LangTrain.LocalHost.Timers;

/// <summary>Runs a listener for every timer function.</summary>
internal sealed class TimerListeners : BackgroundService
{
    private readonly IReadOnlyList<TimerListener> _listeners;

    // Made at once, not in ExecuteAsync: a schedule that cannot be read must stop the start.
    public TimerListeners(FunctionCatalog catalog, HostJson settings, StorageConnections connections, IServiceProvider services)
    {
        var container = new BlobContainerClient(connections.Get(), $"{settings.TaskHub.ToLowerInvariant()}-timers");
        var store = new TimerStatusStore(container);
        _listeners = catalog.With<TimerFunctionTrigger>()
            .Select(found => ActivatorUtilities.CreateInstance<TimerListener>(services, found.Function, found.Trigger, store))
            .ToList();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_listeners.Select(listener => Task.Run(() => listener.RunAsync(stoppingToken), CancellationToken.None)));
}
