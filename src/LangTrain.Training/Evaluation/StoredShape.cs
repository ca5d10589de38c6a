using LangTrain.Modeling;

namespace LangTrain.Training.Evaluation;

/// <summary>Name and shape of a weight in a checkpoint file.</summary>
internal sealed record StoredShape(string Name, long[] Shape)
{
    public long Elements => Shape.Aggregate(1L, (product, side) => product * side);

    public long Sides => Shape.Sum();

    public long Rows => Shape[0];

    /// <summary>A matrix of a block: what NF4 quantizes and <c>all-linear</c> means.</summary>
    public bool IsLayerMatrix => Shape.Length == 2 && Name.Contains(".layers.", StringComparison.Ordinal);

    /// <summary>Whether an adapter has a pair of matrices beside it.</summary>
    public bool IsTargetOf(LoraOptions options)
    {
        if (Shape.Length != 2 || !Name.EndsWith(".weight", StringComparison.Ordinal))
        {
            return false;
        }

        var module = Name[..^".weight".Length];
        return options.TargetModules.Contains("all-linear")
            ? IsLayerMatrix
            : options.TargetModules.Any(t => module == t || module.EndsWith("." + t, StringComparison.Ordinal));
    }
}
