namespace LangTrain.Modeling;

/// <summary>The shape of a new adapter.</summary>
/// <remarks>Immutable.</remarks>
public sealed record LoraOptions
{
    /// <summary>The word that targets every linear layer of the blocks.</summary>
    public const string AllLinear = "all-linear";

    /// <summary>R, at least 1.</summary>
    public int Rank { get; init; } = 16;

    /// <summary>Strength: the update is scaled by alpha / R, or alpha / sqrt(R) with <see cref="UseRslora"/>.</summary>
    public double Alpha { get; init; } = 32;

    /// <summary>Probability that an input of the update is dropped in training, 0 up to but not 1.</summary>
    public double Dropout { get; init; }

    /// <summary>Last parts of module names (<c>q_proj</c>), whole names, or <c>all-linear</c>.</summary>
    public IReadOnlyList<string> TargetModules { get; init; } = [AllLinear];

    /// <summary>Scale by alpha / sqrt(R) (arXiv:2312.03732).</summary>
    public bool UseRslora { get; init; }

    /// <summary>Learn magnitude and direction apart (arXiv:2402.09353).</summary>
    public bool UseDora { get; init; }
}
