namespace LangTrain.Training.Batches;

/// <summary>A small random generator whose numbers are the same on every platform and .NET version, so that resume stays exact.</summary>
/// <remarks>SplitMix64 (doi:10.1145/2660193.2660195). One instance belongs to one thread.</remarks>
internal sealed class SeededRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>Mixes a run's seed with the counters of a purpose, so that each purpose has an own, repeatable stream.</summary>
    public static long Mix(long seed, RandomPurpose purpose, long first = 0, long second = 0)
    {
        var mixed = new SeededRandom((ulong)seed);
        mixed._state = mixed.Next() ^ (ulong)purpose;
        mixed._state = mixed.Next() ^ (ulong)first;
        mixed._state = mixed.Next() ^ (ulong)second;
        return (long)(mixed.Next() >> 1);
    }

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 to <paramref name="exclusiveLimit"/> - 1.</summary>
    public int Next(int exclusiveLimit) => (int)Math.BigMul(Next(), (ulong)exclusiveLimit, out _);

    /// <summary>0 to count - 1 in random order (Fisher-Yates).</summary>
    public int[] Permutation(int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        Shuffle(order);
        return order;
    }

    public void Shuffle<T>(IList<T> items)
    {
        for (var i = items.Count - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}

/// <summary>What random numbers are for; streams of different purposes never overlap.</summary>
internal enum RandomPurpose
{
    EvaluationSplit = 1,
    DataOrder = 2,
    Dropout = 3,
    AdapterInit = 4,
    ModelInit = 5,
    TinyBaseModel = 6,
}
