using System.Threading.Channels;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using Microsoft.Extensions.Logging;

namespace LangTrain.AzureAdapters.WebPubSub;

/// <summary>Sends job events to Web PubSub from one task, in order, in bounded memory. Thread-safe; never throws to who publishes.</summary>
/// <remarks>
/// What does not fit into memory while the service is slow is remembered as a range and read again from the log. What cannot be sent for a
/// minute is given up: clients that come back get it by the replay on connect.
/// </remarks>
internal sealed class WebPubSubRelay : IJobRelay, IAsyncDisposable
{
    private const int MostEventsInMemory = 4096;
    // The service takes 1 MB; an event is a line of text or a few numbers.
    private const int LargestMessageBytes = 1_000_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly WebPubSubService _service;
    private readonly IJobEventLog _log;
    private readonly TimeProvider _time;
    private readonly ILogger<WebPubSubRelay> _logger;
    private readonly Channel<Entry> _entries = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _sending;
    private int _inMemory;

    public WebPubSubRelay(WebPubSubService service, IJobEventLog log, TimeProvider time, ILogger<WebPubSubRelay> logger)
    {
        (_service, _log, _time, _logger) = (service, log, time, logger);
        _sending = Task.Run(SendAllAsync);
    }

    /// <inheritdoc/>
    public void Publish(FineTuneRef job, IReadOnlyList<JobEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (events.Count == 0)
        {
            return;
        }

        if (Interlocked.Add(ref _inMemory, events.Count) <= MostEventsInMemory)
        {
            _entries.Writer.TryWrite(new Entry(job, events, events[0].Sequence, events[^1].Sequence));
            return;
        }

        // A range costs next to nothing, however many events it stands for.
        Interlocked.Add(ref _inMemory, -events.Count);
        _entries.Writer.TryWrite(new Entry(job, null, events[0].Sequence, events[^1].Sequence));
    }

    /// <inheritdoc/>
    public Task<Uri> CreateClientUrlAsync(FineTuneRef job, TimeSpan lifetime, CancellationToken cancellation = default)
    {
        var user = JobStreamUser.Of(job);
        return _service.CreateClientUrlAsync(user, user, lifetime, cancellation);
    }

    /// <inheritdoc/>
    public async Task SendToConnectionAsync(string connectionId, IReadOnlyList<JobEvent> events, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        foreach (var told in events)
        {
            if (await _service.SendToConnectionAsync(connectionId, WebPubSubService.Message(told), cancellation) == 404)
            {
                return;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // What is queued has a moment to leave.
        _entries.Writer.TryComplete();
        _stopping.CancelAfter(TimeSpan.FromSeconds(2));
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
        _service.Dispose();
    }

    private async Task SendAllAsync()
    {
        await foreach (var entry in _entries.Reader.ReadAllAsync(_stopping.Token))
        {
            try
            {
                if (entry.Events is { } events)
                {
                    Interlocked.Add(ref _inMemory, -events.Count);
                    foreach (var told in events)
                    {
                        await SendAsync(entry.Job, told);
                    }

                    continue;
                }

                Logs.RelayRereads(_logger, entry.Job.JobId, entry.First, entry.Last);
                await foreach (var told in _log.ReadAsync(entry.Job, entry.First - 1, _stopping.Token))
                {
                    if (told.Sequence > entry.Last)
                    {
                        break;
                    }

                    await SendAsync(entry.Job, told);
                }
            }
            catch (Exception failure) when (!_stopping.IsCancellationRequested)
            {
                Logs.RelayFailed(_logger, entry.Job.JobId, failure);
            }
        }
    }

    private async Task SendAsync(FineTuneRef job, JobEvent told)
    {
        var message = WebPubSubService.Message(told);
        if (message.Length > LargestMessageBytes)
        {
            Logs.RelayRefused(_logger, job.JobId, told.Sequence, 413);
            return;
        }

        var begun = _time.GetTimestamp();
        for (var delay = TimeSpan.FromMilliseconds(200); ; delay = delay < TimeSpan.FromSeconds(5) ? delay * 2 : delay)
        {
            string reason;
            try
            {
                var status = await _service.SendToGroupAsync(JobStreamUser.Of(job), message, _stopping.Token);
                if (status < 300)
                {
                    return;
                }

                if (status is < 500 and not 429)
                {
                    Logs.RelayRefused(_logger, job.JobId, told.Sequence, status);
                    return;
                }

                reason = $"status {status}";
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException && !_stopping.IsCancellationRequested)
            {
                reason = failure.GetType().Name;
            }

            if (_time.GetElapsedTime(begun) > Patience)
            {
                return;
            }

            Logs.RelayRetries(_logger, reason, delay);
            await Task.Delay(delay, _time, _stopping.Token);
        }
    }

    /// <summary>Events of one job, or (null) the range of their sequence numbers.</summary>
    private sealed record Entry(FineTuneRef Job, IReadOnlyList<JobEvent>? Events, long First, long Last);
}
