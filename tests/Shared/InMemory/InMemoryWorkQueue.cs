using System.Globalization;
using LangTrain.Core.Storage;

namespace LangTrain.Testing;

/// <summary>A queue in memory; passes the same contract tests as the storage queue. Thread-safe.</summary>
/// <param name="time">Clock of delays and visibility.</param>
/// <param name="maxDequeueCount">Receivings of a message before it goes to <see cref="Poison"/>.</param>
public sealed class InMemoryWorkQueue<T>(TimeProvider? time = null, int maxDequeueCount = 5) : IWorkQueue<T>
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private readonly List<Entry> _entries = [];
    private readonly List<T> _poison = [];
    private long _last;

    /// <summary>Messages that came too often.</summary>
    public IReadOnlyList<T> Poison
    {
        get
        {
            lock (_lock)
            {
                return [.. _poison];
            }
        }
    }

    /// <summary>Messages that are in the queue, in sight or not.</summary>
    public IReadOnlyList<T> Messages
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries.Select(entry => entry.Value)];
            }
        }
    }

    public Task SendAsync(T message, TimeSpan delay = default, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            _entries.Add(new Entry(message, Next()) { VisibleAt = _time.GetUtcNow() + delay });
        }

        return Task.CompletedTask;
    }

    public Task<ReceivedMessage<T>?> ReceiveAsync(TimeSpan visibility, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            while (_entries.Find(entry => entry.VisibleAt <= _time.GetUtcNow()) is { } found)
            {
                if (found.DequeueCount >= maxDequeueCount)
                {
                    _entries.Remove(found);
                    _poison.Add(found.Value);
                    continue;
                }

                found.DequeueCount++;
                found.VisibleAt = _time.GetUtcNow() + visibility;
                found.Receipt = Next();
                return Task.FromResult<ReceivedMessage<T>?>(new ReceivedMessage<T>(found.Value, found.Id, found.Receipt, found.DequeueCount));
            }

            return Task.FromResult<ReceivedMessage<T>?>(null);
        }
    }

    public Task<ReceivedMessage<T>?> RenewAsync(ReceivedMessage<T> message, TimeSpan visibility, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (_entries.Find(entry => entry.Id == message.MessageId && entry.Receipt == message.Receipt) is not { } found)
            {
                return Task.FromResult<ReceivedMessage<T>?>(null);
            }

            found.VisibleAt = _time.GetUtcNow() + visibility;
            found.Receipt = Next();
            return Task.FromResult<ReceivedMessage<T>?>(message with { Receipt = found.Receipt });
        }
    }

    public Task DeleteAsync(ReceivedMessage<T> message, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            _entries.RemoveAll(entry => entry.Id == message.MessageId && entry.Receipt == message.Receipt);
        }

        return Task.CompletedTask;
    }

    private string Next() => (++_last).ToString(CultureInfo.InvariantCulture);

    private sealed class Entry(T value, string id)
    {
        public T Value { get; } = value;

        public string Id { get; } = id;

        public string Receipt { get; set; } = "";

        public DateTimeOffset VisibleAt { get; set; }

        public long DequeueCount { get; set; }
    }
}
