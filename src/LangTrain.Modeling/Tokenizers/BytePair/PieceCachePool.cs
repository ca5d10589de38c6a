namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>Lends piece caches, one to a thread at a time, most often the one that the thread had before. Thread-safe.</summary>
internal sealed class PieceCachePool
{
    // More threads than these encode at once only for moments; they get a cache that is not kept.
    private readonly PieceCache?[] _idle = new PieceCache?[2 * Environment.ProcessorCount];

    public PieceCache Rent()
    {
        var own = Environment.CurrentManagedThreadId % _idle.Length;
        for (var i = 0; i < _idle.Length; i++)
        {
            ref var place = ref _idle[(own + i) % _idle.Length];
            if (Volatile.Read(ref place) is not null && Interlocked.Exchange(ref place, null) is { } cache) return cache;
        }
        return new PieceCache();
    }

    public void Return(PieceCache cache)
    {
        var own = Environment.CurrentManagedThreadId % _idle.Length;
        for (var i = 0; i < _idle.Length; i++)
        {
            ref var place = ref _idle[(own + i) % _idle.Length];
            if (Volatile.Read(ref place) is null && Interlocked.CompareExchange(ref place, cache, null) is null) return;
        }
    }
}
