using LangTrain.Training.Batches;

namespace LangTrain.Training.TinyBaseModel;

/// <summary>Choices of the generator; the same seed gives the same ones everywhere. For one thread.</summary>
internal sealed class TinyRandom(ulong seed)
{
    private readonly SeededRandom _random = new(seed);

    /// <summary>The choices of one document of one part.</summary>
    public static TinyRandom For(long seed, TinyPart part, long document) => new((ulong)SeededRandom.Mix(seed, RandomPurpose.TinyBaseModel, (long)part, document));

    /// <summary>From <paramref name="from"/> to <paramref name="to"/>, both included.</summary>
    public int Between(int from, int to) => from + _random.Next(to - from + 1);

    public bool Chance(int percent) => _random.Next(100) < percent;

    public T Pick<T>(params ReadOnlySpan<T> items) => items[_random.Next(items.Length)];

    /// <summary>So many different items, in random order.</summary>
    public T[] PickMany<T>(IReadOnlyList<T> items, int count) => [.. _random.Permutation(items.Count).Take(count).Select(i => items[i])];
}

/// <summary>What is generated; the parts of one seed have nothing to do with each other.</summary>
internal enum TinyPart
{
    Corpus = 1,
    Demo = 2,
}
