using Azure;
using LangTrain.LocalHost.Hosting;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LangTrain.LocalHost.Timers;

/// <summary>Runs one timer function by its schedule, one run at a time; a run that was missed while the host was away is made up for once.</summary>
internal sealed class TimerListener(
    LocalFunction function,
    TimerFunctionTrigger trigger,
    TimerStatusStore store,
    FunctionPipeline pipeline,
    IServiceScopeFactory scopes,
    TimeProvider time,
    ILogger<TimerListener> logger)
{
    // Longer waits are cut into pieces: a timer of the system takes 49 days at most.
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);
    private static readonly TimeSpan StoragePause = TimeSpan.FromSeconds(5);

    private readonly TimerSchedule _schedule = TimerSchedule.Parse(function.Name, trigger.Timer.Schedule);

    // Like the host: a schedule more frequent than a minute is not monitored.
    private bool IsMonitored => trigger.Timer.UseMonitor
        && _schedule.Next(_schedule.Next(DateTimeOffset.UnixEpoch)) - _schedule.Next(DateTimeOffset.UnixEpoch) >= TimeSpan.FromMinutes(1);

    /// <summary>Listens until the host stops.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            var status = IsMonitored ? await KeptAsync(() => store.ReadAsync(function.Name, stopping), stopping) : null;
            var now = time.GetUtcNow();
            var next = status is null ? _schedule.Next(now) : new DateTimeOffset(status.Next, TimeSpan.Zero);
            if (trigger.Timer.RunOnStartup && next > now)
            {
                await CallAsync(now, isPastDue: false, stopping);
            }
            else if (status is null && IsMonitored)
            {
                await SaveAsync(default, next, stopping);
            }

            while (true)
            {
                now = time.GetUtcNow();
                if (next > now)
                {
                    await Task.Delay(Shorter(next - now, LongestDelay), time, stopping);
                    continue;
                }

                next = await CallAsync(now, isPastDue: now - next > TimeSpan.FromSeconds(1) && status is not null, stopping);
                status = null;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private async Task<DateTimeOffset> CallAsync(DateTimeOffset now, bool isPastDue, CancellationToken stopping)
    {
        var next = _schedule.Next(now);
        var status = new ScheduleStatus { Last = now.UtcDateTime, Next = next.UtcDateTime, LastUpdated = now.UtcDateTime };
        var info = new TimerInfo { IsPastDue = isPastDue, ScheduleStatus = IsMonitored ? status : null };
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            await pipeline.RunAsync(new LocalFunctionContext(function, info, scope.ServiceProvider, stopping));
        }
        catch (Exception failure) when (!stopping.IsCancellationRequested)
        {
            logger.FunctionFailed(failure, function.Name, "timer");
        }

        if (IsMonitored)
        {
            await SaveAsync(now, next, stopping);
        }

        return next;
    }

    private Task<bool> SaveAsync(DateTimeOffset last, DateTimeOffset next, CancellationToken stopping) =>
        KeptAsync(
            async () =>
            {
                var status = new ScheduleStatus { Last = last.UtcDateTime, Next = next.UtcDateTime, LastUpdated = time.GetUtcNow().UtcDateTime };
                await store.WriteAsync(function.Name, status, stopping);
                return true;
            },
            stopping);

    private async Task<T> KeptAsync<T>(Func<Task<T>> storage, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                return await storage();
            }
            catch (Exception failure) when (failure is RequestFailedException or AggregateException or IOException)
            {
                logger.TimerStateUnreachable(failure, function.Name);
                await Task.Delay(StoragePause, time, stopping);
            }
        }
    }
}
