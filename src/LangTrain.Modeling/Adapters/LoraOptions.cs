using System.Text.RegularExpressions;

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

    /// <summary>R of modules that differ from <see cref="Rank"/>: PEFT's <c>rank_pattern</c>, a pattern for the end of a module's name and its R. Adapters of others have it.</summary>
    public IReadOnlyDictionary<string, int> RankPattern { get; init; } = new Dictionary<string, int>();

    /// <summary>Alpha of modules that differ from <see cref="Alpha"/>: PEFT's <c>alpha_pattern</c>.</summary>
    public IReadOnlyDictionary<string, double> AlphaPattern { get; init; } = new Dictionary<string, double>();

    /// <summary>Probability that an input of the update is dropped in training, 0 up to but not 1.</summary>
    public double Dropout { get; init; }

    /// <summary>Last parts of module names (<c>q_proj</c>), whole names, or <c>all-linear</c>.</summary>
    public IReadOnlyList<string> TargetModules { get; init; } = [AllLinear];

    /// <summary>Scale by alpha / sqrt(R) (arXiv:2312.03732).</summary>
    public bool UseRslora { get; init; }

    /// <summary>Learn magnitude and direction apart (arXiv:2402.09353).</summary>
    public bool UseDora { get; init; }

    /// <summary>R of one module.</summary>
    /// <param name="module">Its name in the checkpoint.</param>
    /// <exception cref="ArgumentException">A pattern is no regular expression, or one that cannot be matched in linear time.</exception>
    public int RankOf(string module) => Find(RankPattern, module, Rank);

    /// <summary>Alpha of one module.</summary>
    /// <inheritdoc cref="RankOf"/>
    public double AlphaOf(string module) => Find(AlphaPattern, module, Alpha);

    /// <summary>Factor on B·A of one module: alpha / R, or alpha / sqrt(R).</summary>
    /// <param name="module">Its name in the checkpoint.</param>
    /// <exception cref="ArgumentException">A pattern is no regular expression, or one that cannot be matched in linear time.</exception>
    public double ScalingOf(string module)
    {
        int rank = RankOf(module);
        return AlphaOf(module) / (UseRslora ? Math.Sqrt(rank) : rank);
    }

    /// <summary>The first pattern that is the module's name or what follows a dot in it, as in PEFT's get_pattern_key.</summary>
    private static T Find<T>(IReadOnlyDictionary<string, T> patterns, string module, T otherwise)
    {
        foreach ((string pattern, T value) in patterns)
        {
            try
            {
                // The patterns come with an adapter from anywhere: no backtracking, so that none of them can take for ever.
                if (Regex.IsMatch(module, $@"\A(?:(?:.*\.)?(?:{pattern}))\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant))
                {
                    return value;
                }
            }
            catch (NotSupportedException error)
            {
                throw new ArgumentException($"The pattern '{pattern}' is not supported: {error.Message}", error);
            }
        }

        return otherwise;
    }
}
