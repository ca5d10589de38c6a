using LangTrain.Core.Usage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LangTrain.Functions.Accounts;

/// <summary>Stores the usage counters every few seconds, and once more when the host stops.</summary>
internal sealed class UsageFlushService(UsageRecorder usage, TimeProvider time, ILogger<UsageFlushService> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await FlushAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await FlushAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The last flush is StopAsync's.
        }
    }

    private async Task FlushAsync(CancellationToken cancellation)
    {
        try
        {
            await usage.FlushAsync(cancellation);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            // Whatever storage threw: the counters are kept, and a service that dies of it would count nothing at all.
            logger.UsageNotStored(e);
        }
    }
}
