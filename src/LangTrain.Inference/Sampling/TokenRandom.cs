namespace LangTrain.Inference.Sampling;

/// <summary>A row's own random numbers: SplitMix64 over (seed, draw index), so a seed means the same draws on every machine and runtime.</summary>
internal struct TokenRandom(ulong seed)
{
    private const ulong Golden = 0x9E3779B97F4A7C15;
    private ulong _state = seed;

    /// <summary>The next number, uniform in [0, 1), 53 bits.</summary>
    public double NextDouble()
    {
        _state += Golden;
        return (Mix(_state) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>The seed of choice <paramref name="index"/> of a request; choice 0 keeps the request's seed, so n = 1 and n = 4 share their first text.</summary>
    public static long SeedOfChoice(long seed, int index) => index == 0 ? seed : (long)Mix((ulong)seed + (ulong)index * Golden);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
