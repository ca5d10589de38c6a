using System.Globalization;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Storage;

namespace LangTrain.Testing;

/// <summary>Idempotent requests in memory. Thread-safe.</summary>
public sealed class InMemoryIdempotencyStore : IIdempotencyStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string, string), Versioned<IdempotentRequest>> _rows = [];
    private int _version;

    public Task<Versioned<IdempotentRequest>> CreateAsync(IdempotentRequest request, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return _rows.ContainsKey((request.AccountId, request.Key))
                ? throw new AlreadyExistsException($"The idempotency key '{request.Key}'")
                : Task.FromResult(Put(request));
        }
    }

    public Task<Versioned<IdempotentRequest>?> FindAsync(string accountId, string key, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return Task.FromResult(_rows.GetValueOrDefault((accountId, key)));
        }
    }

    public Task<Versioned<IdempotentRequest>> UpdateAsync(
        Versioned<IdempotentRequest> current, IdempotentRequest changed, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return IsCurrent(current) ? Task.FromResult(Put(changed)) : throw new StaleWriteException($"The idempotency key '{changed.Key}'");
        }
    }

    public Task DeleteAsync(Versioned<IdempotentRequest> current, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            if (IsCurrent(current))
            {
                _rows.Remove((current.Value.AccountId, current.Value.Key));
            }

            return Task.CompletedTask;
        }
    }

    public Task<int> DeleteBeforeAsync(DateTimeOffset moment, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            var old = _rows.Where(row => row.Value.Value.StartedAt < moment).Select(row => row.Key).ToList();
            old.ForEach(key => _rows.Remove(key));
            return Task.FromResult(old.Count);
        }
    }

    private bool IsCurrent(Versioned<IdempotentRequest> row) =>
        _rows.TryGetValue((row.Value.AccountId, row.Value.Key), out var stored) && stored.ETag == row.ETag;

    private Versioned<IdempotentRequest> Put(IdempotentRequest request) =>
        _rows[(request.AccountId, request.Key)] = new(request, (++_version).ToString(CultureInfo.InvariantCulture));
}
