using System.Threading.Channels;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using Microsoft.Extensions.Logging;

namespace LangTrain.AzureAdapters.WebPubSub;

/// <summary>Sends job events to Web PubSub, in order within a job, in bounded memory. One a process. Thread-safe; never throws to who publishes.</summary>
/// <remarks>
/// A few senders take turns over the jobs that have something to say; a job is with one sender at a time. What does not fit into memory is kept
/// as a range of numbers and read from the log when its turn comes; other processes' events in such a range are then told twice, and clients go by the sequence
/// number. While the service does not answer, senders wait and try again.
/// </remarks>
internal sealed class WebPubSubRelay : IJobRelay, IAsyncDisposable, IDisposable
{
    private const int Senders = 4;
    private const int EventsPerTurn = 64;
    private const int MostJobs = 10_000;
    // After a long silence the end of a range is worth sending, not all of it: clients see the gap in the numbers and read it from the log.
    private const int MostReread = 500;
    private const int ConnectionAttempts = 4;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastMoment = TimeSpan.FromSeconds(2);

    private readonly WebPubSubService _service;
    private readonly IJobEventLog _log;
    private readonly TimeProvider _time;
    private readonly ILogger<WebPubSubRelay> _logger;
    private readonly int _mostInMemory;
    private readonly Lock _lock = new();
    private readonly Dictionary<FineTuneRef, JobOutbox> _outboxes = [];
    // Holds an outbox at most once, so it is as bounded as the outboxes are.
    private readonly Channel<JobOutbox> _turns = Channel.CreateUnbounded<JobOutbox>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _sending;
    private int _inMemory;

    public WebPubSubRelay(WebPubSubService service, IJobEventLog log, TimeProvider time, ILogger<WebPubSubRelay> logger, int mostInMemory = 4096)
    {
        (_service, _log, _time, _logger, _mostInMemory) = (service, log, time, logger, mostInMemory);
        _sending = Task.WhenAll(Enumerable.Range(0, Senders).Select(_ => Task.Run(SendAllAsync)));
    }

    /// <inheritdoc/>
    public void Publish(FineTuneRef job, IReadOnlyList<JobEvent> events)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(events);
        if (events.Count == 0)
        {
            return;
        }

        lock (_lock)
        {
            var isNew = !_outboxes.TryGetValue(job, out var outbox);
            if (isNew)
            {
                if (_outboxes.Count >= MostJobs || _stopping.IsCancellationRequested)
                {
                    return;
                }

                _outboxes[job] = outbox = new JobOutbox(job);
            }

            if (outbox!.IsBehind || Volatile.Read(ref _inMemory) + events.Count > _mostInMemory)
            {
                outbox.Miss(events);
            }
            else
            {
                outbox.Add(events);
                Interlocked.Add(ref _inMemory, events.Count);
            }

            if (isNew)
            {
                _turns.Writer.TryWrite(outbox);
            }
        }
    }

    /// <inheritdoc/>
    public Task<Uri> CreateClientUrlAsync(JobStreamUser user, TimeSpan lifetime, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        string[] groups = [JobStreamUser.GroupOf(user.Job), JobStreamUser.GroupOfKey(user.Job.AccountId, user.KeyId)];
        return _service.CreateClientUrlAsync(user.ToString(), groups, lifetime, cancellation);
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The service did not take an event.</exception>
    public async Task SendToConnectionAsync(string connectionId, IReadOnlyList<JobEvent> events, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        foreach (var told in events)
        {
            var message = WebPubSubService.Message(told);
            var outcome = await TryAsync(stop => _service.SendToConnectionAsync(connectionId, message, stop), cancellation);
            if (outcome.Status == 404)
            {
                // The client has gone.
                return;
            }

            if (!outcome.IsSent)
            {
                throw new IOException($"Web PubSub did not take event {told.Sequence} of {told.JobId}: {outcome.Reason}.");
            }
        }
    }

    /// <inheritdoc/>
    public async Task DisconnectKeyAsync(string accountId, string keyId, CancellationToken cancellation = default)
    {
        var outcome = await TryAsync(stop => _service.CloseGroupAsync(JobStreamUser.GroupOfKey(accountId, keyId), "The API key is no longer valid.", stop), cancellation);
        if (!outcome.IsSent && outcome.Status != 404)
        {
            Logs.RelayKeptConnections(_logger, keyId, outcome.Reason);
        }
    }

    /// <summary>Gives what waits a moment to leave, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        var ending = _time.GetTimestamp();
        while (_time.GetElapsedTime(ending) < LastMoment && !IsIdle())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }

        await _stopping.CancelAsync();
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Dispose();
    }

    /// <summary>Stops at once.</summary>
    public void Dispose()
    {
        // Not disposed itself: a sender that still ends may look at its token.
        _stopping.Cancel();
        _service.Dispose();
    }

    private bool IsIdle()
    {
        lock (_lock)
        {
            return _outboxes.Count == 0;
        }
    }

    private async Task SendAllAsync()
    {
        await foreach (var outbox in _turns.Reader.ReadAllAsync(_stopping.Token))
        {
            try
            {
                await SendTurnAsync(outbox);
            }
            catch (Exception failure) when (!_stopping.IsCancellationRequested)
            {
                Logs.RelayFailed(_logger, outbox.Job.JobId, failure);
            }

            lock (_lock)
            {
                if (outbox.IsEmpty)
                {
                    _outboxes.Remove(outbox.Job);
                }
                else
                {
                    _turns.Writer.TryWrite(outbox);
                }
            }
        }
    }

    private async Task SendTurnAsync(JobOutbox outbox)
    {
        List<JobEvent> events;
        (long First, long Last)? range;
        lock (_lock)
        {
            (events, range) = outbox.Take(EventsPerTurn);
        }

        var sent = 0;
        try
        {
            for (; sent < events.Count; sent++)
            {
                await SendAsync(outbox.Job, events[sent]);
                Interlocked.Decrement(ref _inMemory);
            }
        }
        finally
        {
            Interlocked.Add(ref _inMemory, sent - events.Count);
        }

        if (range is not { } missed)
        {
            return;
        }

        var first = Math.Max(missed.First, missed.Last - MostReread + 1);
        Logs.RelayRereads(_logger, outbox.Job.JobId, first, missed.Last);
        await foreach (var told in _log.ReadAsync(outbox.Job, first - 1, _stopping.Token))
        {
            if (told.Sequence > missed.Last)
            {
                break;
            }

            await SendAsync(outbox.Job, told);
        }
    }

    /// <summary>Asks the service for something while somebody waits: a few times at most.</summary>
    private async Task<SendOutcome> TryAsync(Func<CancellationToken, Task<SendOutcome>> ask, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var outcome = await ask(cancellation);
            if (outcome.IsSent || outcome.Status == 404 || !outcome.MayWorkLater || attempt == ConnectionAttempts)
            {
                return outcome;
            }

            await Task.Delay(outcome.Delay(FirstDelay * attempt), _time, cancellation);
        }
    }

    /// <summary>Sends one event, however long the service takes; one that the service will never take is left out.</summary>
    private async Task SendAsync(FineTuneRef job, JobEvent told)
    {
        var message = WebPubSubService.Message(told);
        for (var delay = FirstDelay; ; delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay)
        {
            var outcome = await _service.SendToGroupAsync(JobStreamUser.GroupOf(job), message, _stopping.Token);
            if (outcome.IsSent)
            {
                return;
            }

            if (!outcome.MayWorkLater)
            {
                Logs.RelayRefused(_logger, job.JobId, told.Sequence, outcome.Reason);
                return;
            }

            var wait = outcome.Delay(delay);
            Logs.RelayRetries(_logger, outcome.Reason, wait);
            await Task.Delay(wait, _time, _stopping.Token);
        }
    }
}
