namespace LangTrain.Inference.Hosting;

/// <summary>
/// Things that are costly to load, by key: loaded once however many ask at the same time, kept while anybody holds a lease, and let go in the
/// order of last use when they take more than the budget. Thread-safe.
/// </summary>
/// <typeparam name="TValue">What is loaded; disposed when it is let go.</typeparam>
internal sealed class LeasedCache<TValue> : IAsyncDisposable
    where TValue : class
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = [];
    private readonly long _budgetBytes;
    private readonly Func<TValue, long> _sizeOf;
    private readonly Func<TValue, ValueTask> _dispose;
    private readonly Action<string>? _report;
    private long _clock;
    private bool _disposed;

    /// <param name="budgetBytes">Most bytes of all values together.</param>
    /// <param name="sizeOf">Bytes of a value.</param>
    /// <param name="dispose">Lets a value go.</param>
    /// <param name="report">Told of each <c>hit</c>, <c>miss</c> and <c>eviction</c>.</param>
    public LeasedCache(long budgetBytes, Func<TValue, long> sizeOf, Func<TValue, ValueTask> dispose, Action<string>? report = null)
    {
        (_budgetBytes, _sizeOf, _dispose, _report) = (budgetBytes, sizeOf, dispose, report);
    }

    /// <summary>A lease on the value of a key, which is loaded if it is not there.</summary>
    /// <param name="key">The key.</param>
    /// <param name="load">Loads the value; runs once for all who wait, whoever of them goes away.</param>
    /// <param name="cancellationToken">Ends the waiting, not the load.</param>
    /// <param name="expectedBytes">Says how many bytes the value will take, so that room is made before it is loaded; null where nobody knows.</param>
    /// <exception cref="ServingMemoryException">What is in use and the new value together are above the budget.</exception>
    public async Task<Lease<TValue>> AcquireAsync(string key, Func<Task<TValue>> load, CancellationToken cancellationToken, Func<long>? expectedBytes = null)
    {
        Entry entry;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_entries.TryGetValue(key, out entry!))
            {
                entry = new Entry();
                _entries[key] = entry;
                entry.Loading = Task.Run(() => LoadAsync(key, entry, load, expectedBytes), CancellationToken.None);
                _report?.Invoke("miss");
            }
            else
            {
                _report?.Invoke("hit");
            }
            entry.Leases++;
            entry.UsedAt = ++_clock;
        }
        try
        {
            var value = await entry.Loading.WaitAsync(cancellationToken);
            await MakeRoomAsync(key, entry);
            return new Lease<TValue>(value, () => ReleaseAsync(entry));
        }
        catch
        {
            await ReleaseAsync(entry);
            throw;
        }
    }

    /// <summary>Lets everything go that nobody holds; what is held follows with its last lease.</summary>
    public async ValueTask DisposeAsync()
    {
        List<Entry> idle;
        lock (_lock)
        {
            _disposed = true;
            idle = [.. _entries.Values.Where(e => e.Leases == 0)];
            _entries.Clear();
        }
        foreach (var entry in idle)
            await LetGoAsync(entry);
    }

    // Here and not with a waiter, who may have gone: the size counts, and a failure is forgotten, as soon as the load has ended.
    private async Task<TValue> LoadAsync(string key, Entry entry, Func<Task<TValue>> load, Func<long>? expectedBytes)
    {
        try
        {
            if (expectedBytes?.Invoke() is { } expected)
            {
                lock (_lock)
                    entry.Bytes = expected;
                await MakeRoomAsync(key, entry);
            }
            var value = await load();
            lock (_lock)
                entry.Bytes = _sizeOf(value);
            return value;
        }
        catch
        {
            lock (_lock)
            {
                if (_entries.GetValueOrDefault(key) == entry)
                    _entries.Remove(key);
            }
            throw;
        }
    }

    private async ValueTask MakeRoomAsync(string key, Entry entry)
    {
        List<Entry> evicted = [];
        lock (_lock)
        {
            var total = _entries.Values.Sum(e => e.Bytes);
            foreach (var (other, candidate) in _entries.Where(e => e.Value.Leases == 0).OrderBy(e => e.Value.UsedAt).ToList())
            {
                if (total <= _budgetBytes)
                    break;
                _entries.Remove(other);
                evicted.Add(candidate);
                total -= candidate.Bytes;
                _report?.Invoke("eviction");
            }
            // One alone may be larger than the budget: nothing smaller could serve it.
            if (total > _budgetBytes && !entry.Admitted && _entries.Values.Any(e => e != entry && e.Bytes > 0))
            {
                if (entry.Leases == 1 && _entries.GetValueOrDefault(key) == entry && _entries.Remove(key))
                    entry.Orphaned = true;
                throw new ServingMemoryException(total, _budgetBytes);
            }
            entry.Admitted = true;
        }
        foreach (var candidate in evicted)
            await LetGoAsync(candidate);
    }

    private async ValueTask ReleaseAsync(Entry entry)
    {
        lock (_lock)
        {
            if (--entry.Leases > 0)
                return;
            entry.UsedAt = ++_clock;
            if (!_disposed && !entry.Orphaned)
                return;
        }
        await LetGoAsync(entry);
    }

    private async ValueTask LetGoAsync(Entry entry)
    {
        TValue value;
        try
        {
            value = await entry.Loading;
        }
        catch (Exception)
        {
            return; // It never came to be; who asked for it was told.
        }
        await _dispose(value);
    }

    private sealed class Entry
    {
        public Task<TValue> Loading { get; set; } = null!;

        public int Leases { get; set; }

        public long Bytes { get; set; }

        public long UsedAt { get; set; }

        /// <summary>True once it was let in; later users of it are not refused.</summary>
        public bool Admitted { get; set; }

        /// <summary>True when it is out of the table, to be let go with its last lease.</summary>
        public bool Orphaned { get; set; }
    }
}
