namespace LangTrain.Core.Usage;

/// <summary>Counts what requests use, in memory, and stores the sums when <see cref="FlushAsync"/> is called (every few seconds). Thread-safe; one a process.</summary>
/// <remarks>What a process had not stored when it was killed is lost: a few seconds of counters, never a limit and never a fine-tune's usage.</remarks>
public sealed class UsageRecorder(IUsageStore store, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Account, DateOnly Day, string Key, string Model), UsageAmounts> _sums = [];
    private readonly HashSet<(string Account, DateOnly Day, string Key, string Model)> _changed = [];
    private readonly SemaphoreSlim _flushing = new(1, 1);
    private readonly string _source = Ids.New("run", time);

    /// <summary>Counts.</summary>
    /// <param name="accountId">Account.</param>
    /// <param name="keyId">Key.</param>
    /// <param name="modelId">Model, or null where the request is about none.</param>
    /// <param name="amounts">What is added.</param>
    public void Add(string accountId, string keyId, string? modelId, UsageAmounts amounts)
    {
        Add((accountId, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime), keyId, modelId ?? ""), amounts);
    }

    /// <summary>Counts an API request, for now of no model.</summary>
    /// <returns>To be told once when the model is known that the request is about; it is then counted there, on the day on which it came.</returns>
    public Action<string> AddRequest(string accountId, string keyId)
    {
        var (one, day) = (new UsageAmounts { Requests = 1 }, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime));
        Add((accountId, day, keyId, ""), one);
        return modelId =>
        {
            Add((accountId, day, keyId, ""), one with { Requests = -1 });
            Add((accountId, day, keyId, modelId), one);
        };
    }

    /// <summary>Stores what changed since the last time; what cannot be stored is kept for the next.</summary>
    public async Task FlushAsync(CancellationToken cancellation = default)
    {
        // One at a time: a slower older write must not land on a newer sum.
        await _flushing.WaitAsync(cancellation);
        try
        {
            UsageRow[] rows;
            lock (_lock)
            {
                rows = [.. _changed.Select(place => new UsageRow(place.Account, place.Day, place.Key, place.Model, _source, _sums[place]))];
                _changed.Clear();
            }

            if (rows.Length > 0)
            {
                await StoreAsync(rows, cancellation);
            }
        }
        finally
        {
            _flushing.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _flushing.Dispose();

    private void Add((string Account, DateOnly Day, string Key, string Model) place, UsageAmounts amounts)
    {
        lock (_lock)
        {
            _sums[place] = _sums.TryGetValue(place, out var sum) ? sum + amounts : amounts;
            _changed.Add(place);
        }
    }

    private async Task StoreAsync(UsageRow[] rows, CancellationToken cancellation)
    {
        try
        {
            await store.PutAsync(rows, cancellation);
        }
        catch
        {
            lock (_lock)
            {
                _changed.UnionWith(rows.Select(row => (row.AccountId, row.Day, row.KeyId, row.ModelId)));
            }

            throw;
        }

        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        lock (_lock)
        {
            // Sums of days gone by are stored and never change again; yesterday's stay, for a clock that is set back over midnight would begin them at 0.
            foreach (var place in _sums.Keys.Where(place => place.Day < today.AddDays(-1) && !_changed.Contains(place)).ToArray())
            {
                _sums.Remove(place);
            }
        }
    }
}
