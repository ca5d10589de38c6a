namespace LangTrain.Training.Batches;

/// <summary>Some examples of a set, in an order of their own.</summary>
internal sealed class ExampleSubset(ITokenizedExamples examples, int[] indexes) : ITokenizedExamples
{
    public int Count => indexes.Length;

    // The subset follows from the set and the run's options, both of which a checkpoint names.
    public string ContentHash => examples.ContentHash;

    public int LengthOf(int index) => examples.LengthOf(indexes[index]);

    public int TrainedTokensOf(int index) => examples.TrainedTokensOf(indexes[index]);

    public TokenizedExample Read(int index) => examples.Read(indexes[index]);

    /// <summary>Holds out a share of the examples at random: at least one, and never all.</summary>
    /// <param name="examples">The set.</param>
    /// <param name="share">The share, 0 to below 1.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="perRow">Neighbours that stay together: 2 where each two examples are a pair.</param>
    /// <returns>The set itself and null if the share is 0 or there is only one row.</returns>
    public static (ITokenizedExamples Training, ITokenizedExamples? HeldOut) Split(ITokenizedExamples examples, double share, long seed, int perRow = 1)
    {
        var rows = examples.Count / perRow;
        if (share <= 0 || rows < 2)
        {
            return (examples, null);
        }

        var order = new SeededRandom((ulong)SeededRandom.Mix(seed, RandomPurpose.EvaluationSplit)).Permutation(rows);
        var heldOut = Math.Clamp((int)Math.Round(share * rows), 1, rows - 1);
        return (Of(order[heldOut..]), Of(order[..heldOut]));

        ExampleSubset Of(int[] chosen) => new(examples, [.. chosen.Order().SelectMany(row => Enumerable.Range(row * perRow, perRow))]);
    }
}
