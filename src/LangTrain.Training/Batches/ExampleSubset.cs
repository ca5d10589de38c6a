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
    /// <returns>The set itself and null if the share is 0 or there is only one example.</returns>
    public static (ITokenizedExamples Training, ITokenizedExamples? HeldOut) Split(ITokenizedExamples examples, double share, long seed)
    {
        if (share <= 0 || examples.Count < 2)
        {
            return (examples, null);
        }

        var order = new SeededRandom((ulong)SeededRandom.Mix(seed, RandomPurpose.EvaluationSplit)).Permutation(examples.Count);
        var heldOut = Math.Clamp((int)Math.Round(share * examples.Count), 1, examples.Count - 1);
        return (new ExampleSubset(examples, [.. order[heldOut..].Order()]), new ExampleSubset(examples, [.. order[..heldOut].Order()]));
    }
}
