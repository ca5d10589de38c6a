using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;

namespace LangTrain.Worker.FineTunes;

/// <summary>Takes the events of one attempt from the training thread and stores them in order, in few writes, then relays them.</summary>
/// <remarks>
/// Thread-safe. Adding never waits for storage: events gather in memory while storage does not answer, and training goes on.
/// <see cref="FlushAsync"/> comes back when all that was added before is stored; a checkpoint is only made known after it, so that an event
/// is either stored or told again by the attempt that goes on from the checkpoint (its key is the same, the log keeps one).
/// </remarks>
internal sealed class JobEventReporter : IAsyncDisposable
{
    // One write a quarter second is live to the eye and keeps an hour-long job far below the 50,000 blocks of an append blob.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(250);
    private const int LargestBatch = 500;

    private readonly IJobEventLog _log;
    private readonly IJobRelay _relay;
    private readonly FineTuneRef _job;
    private readonly int _attempt;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<Entry> _entries = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Func<CancellationToken, ValueTask<bool>>? _mayStore;
    private readonly CancellationTokenSource _abandoned = new();
    private readonly Task _storing;
    private int _lines;

    /// <summary>Begins to store.</summary>
    /// <param name="log">Where.</param>
    /// <param name="relay">Told what is stored.</param>
    /// <param name="job">Whose events.</param>
    /// <param name="attempt">Tells the lines of this attempt from another's.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Told when storage does not answer.</param>
    /// <param name="mayStore">Asked before each write; once it says no, nothing more is stored. Null is always yes.</param>
    public JobEventReporter(
        IJobEventLog log, IJobRelay relay, FineTuneRef job, int attempt, TimeProvider time, ILogger logger, Func<CancellationToken, ValueTask<bool>>? mayStore = null)
    {
        (_log, _relay, _job, _attempt, _time, _logger, _mayStore) = (log, relay, job, attempt, time, logger, mayStore);
        _storing = Task.Run(StoreAsync);
    }

    /// <summary>Adds a line for people.</summary>
    public void Log(string level, string message) => Add(new JobEventDraft
    {
        Key = string.Create(CultureInfo.InvariantCulture, $"log-a{_attempt}-{Interlocked.Increment(ref _lines)}"),
        Type = JobEventTypes.Log,
        Timestamp = _time.GetUtcNow(),
        Level = level,
        Message = message,
    });

    /// <summary>Adds an event with numbers.</summary>
    /// <param name="type">One of <see cref="JobEventTypes"/>.</param>
    /// <param name="key">The same for the same happening, whichever attempt tells it.</param>
    /// <param name="data">An object; no null, no non-finite number.</param>
    public void Data(string type, string key, JsonElement data) =>
        Add(new JobEventDraft { Key = key, Type = type, Timestamp = _time.GetUtcNow(), Data = data });

    /// <summary>Adds events as they were written elsewhere; those that are stored already are left out.</summary>
    public void Repeat(IEnumerable<JobEventDraft> events)
    {
        foreach (var draft in events)
        {
            Add(draft);
        }
    }

    /// <summary>Waits until everything added so far is stored.</summary>
    /// <exception cref="OperationCanceledException">It never will be: this attempt no longer speaks for its job.</exception>
    public async Task FlushAsync(CancellationToken cancellation)
    {
        var stored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_entries.Writer.TryWrite(new Entry(null, stored)))
        {
            throw new OperationCanceledException("The attempt no longer speaks for its job.");
        }

        await stored.Task.WaitAsync(cancellation);
    }

    /// <summary>Drops what is not stored yet: the lease is lost and another worker speaks for the job.</summary>
    public void Abandon() => _abandoned.Cancel();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _entries.Writer.TryComplete();
        await _storing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _abandoned.Dispose();
    }

    private void Add(JobEventDraft draft) => _entries.Writer.TryWrite(new Entry(draft, null));

    private async Task StoreAsync()
    {
        var batch = new List<JobEventDraft>();
        var waiting = new List<TaskCompletionSource>();
        try
        {
            while (await _entries.Reader.WaitToReadAsync(_abandoned.Token))
            {
                var flush = Drain(batch, waiting);
                if (!flush && batch.Count < LargestBatch && !_entries.Reader.Completion.IsCompleted)
                {
                    await Task.Delay(Gather, _time, _abandoned.Token);
                    Drain(batch, waiting);
                }

                await AppendAsync(batch);
                waiting.ForEach(w => w.TrySetResult());
                batch.Clear();
                waiting.Clear();
            }
        }
        finally
        {
            // Nobody waits for what will not be stored.
            _entries.Writer.TryComplete();
            while (_entries.Reader.TryRead(out var entry))
            {
                entry.Stored?.TrySetCanceled();
            }

            waiting.ForEach(w => w.TrySetCanceled());
        }
    }

    private bool Drain(List<JobEventDraft> batch, List<TaskCompletionSource> waiting)
    {
        while (batch.Count < LargestBatch && _entries.Reader.TryRead(out var entry))
        {
            if (entry.Draft is { } draft)
            {
                batch.Add(draft);
            }

            if (entry.Stored is { } stored)
            {
                waiting.Add(stored);
                return true;
            }
        }

        return false;
    }

    private async Task AppendAsync(List<JobEventDraft> batch)
    {
        if (batch.Count == 0)
        {
            return;
        }

        for (var delay = TimeSpan.FromSeconds(0.5); ; delay = delay < TimeSpan.FromSeconds(10) ? delay * 2 : delay)
        {
            if (_mayStore is not null && !await _mayStore(_abandoned.Token))
            {
                await _abandoned.CancelAsync();
                _abandoned.Token.ThrowIfCancellationRequested();
            }

            try
            {
                _relay.Publish(_job, await _log.AppendAsync(_job, [.. batch], _abandoned.Token));
                return;
            }
            catch (Exception failure) when (!_abandoned.IsCancellationRequested)
            {
                _logger.EventsFailed(failure, _job.JobId, delay);
                await Task.Delay(delay, _time, _abandoned.Token);
            }
        }
    }

    private readonly record struct Entry(JobEventDraft? Draft, TaskCompletionSource? Stored);
}
