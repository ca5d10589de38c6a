using LangTrain.Inference.Hosting;
using LangTrain.Modeling;

namespace LangTrain.Inference;

/// <summary>
/// The right to serve with an adapter. A request that is given one keeps the adapter alive by itself until its rows have left the batch, so the
/// lease may be disposed at any time after the request was started. Thread-safe.
/// </summary>
public sealed class AdapterLease : IAsyncDisposable
{
    private readonly Shared _shared;
    private int _disposed;

    private AdapterLease(Shared shared) => _shared = shared;

    /// <summary>The adapter.</summary>
    public LoraAdapter Adapter => _shared.Adapter;

    /// <summary>A lease on an adapter that the caller owns and keeps for longer than any request.</summary>
    public static AdapterLease Of(LoraAdapter adapter) => new(new Shared(adapter, null));

    internal static AdapterLease Of(Lease<LoraAdapter> lease) => new(new Shared(lease.Value, lease));

    /// <summary>A further lease on the same adapter.</summary>
    internal AdapterLease Share()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0 || !_shared.TryAdd(), this);
        return new AdapterLease(_shared);
    }

    /// <summary>Gives the lease back.</summary>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _disposed, 1) == 0 ? _shared.ReleaseAsync() : ValueTask.CompletedTask;

    private sealed class Shared(LoraAdapter adapter, Lease<LoraAdapter>? lease)
    {
        private int _count = 1;

        public LoraAdapter Adapter { get; } = adapter;

        public bool TryAdd()
        {
            for (var count = Volatile.Read(ref _count); count > 0;)
            {
                var seen = Interlocked.CompareExchange(ref _count, count + 1, count);
                if (seen == count)
                    return true;
                count = seen;
            }
            return false;
        }

        public ValueTask ReleaseAsync() =>
            Interlocked.Decrement(ref _count) == 0 && lease is not null ? lease.DisposeAsync() : ValueTask.CompletedTask;
    }
}
