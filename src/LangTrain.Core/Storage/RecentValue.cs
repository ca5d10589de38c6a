namespace LangTrain.Core.Storage;

/// <summary>A value that is read from storage and believed for a moment. Thread-safe.</summary>
/// <remarks>
/// In steady use nobody waits: at half its time it is read again beside the requests. When it is too old, all who want it wait for one reading.
/// </remarks>
/// <param name="freshness">How long it is believed, from the begin of its reading.</param>
/// <param name="time">Clock.</param>
/// <param name="read">Reads it.</param>
public sealed class RecentValue<T>(TimeSpan freshness, TimeProvider time, Func<CancellationToken, Task<T>> read)
{
    private readonly Lock _lock = new();
    private volatile Known? _known;
    private Task<T>? _reading;
    private long _generation;

    /// <summary>The value, at most <c>freshness</c> old.</summary>
    public ValueTask<T> GetAsync(CancellationToken cancellation = default)
    {
        var now = time.GetUtcNow();
        // Without the lock: most requests find it young.
        if (_known is { } young && now - young.ReadAt < freshness / 2 && now >= young.ReadAt)
        {
            return ValueTask.FromResult(young.Value);
        }

        lock (_lock)
        {
            _reading ??= ReadAsync(_generation);
            return _known is { } known && now - known.ReadAt < freshness && now >= known.ReadAt
                ? ValueTask.FromResult(known.Value)
                : new ValueTask<T>(_reading.WaitAsync(cancellation));
        }
    }

    /// <summary>Believes nothing that was read, or began to be read, before this.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _generation++;
            _known = null;
            _reading = null;
        }
    }

    private async Task<T> ReadAsync(long generation)
    {
        // Not under the caller's lock, nor on its time.
        await Task.Yield();
        var began = time.GetUtcNow();
        try
        {
            var value = await read(CancellationToken.None);
            lock (_lock)
            {
                if (generation == _generation)
                {
                    _known = new Known(value, began);
                }
            }

            return value;
        }
        finally
        {
            lock (_lock)
            {
                if (generation == _generation)
                {
                    _reading = null;
                }
            }
        }
    }

    private sealed record Known(T Value, DateTimeOffset ReadAt);
}
