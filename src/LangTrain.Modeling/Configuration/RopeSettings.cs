namespace LangTrain.Modeling;

/// <summary>How the frequencies of rotary embeddings are stretched for contexts longer than those of pre-training.</summary>
public enum RopeScaling
{
    /// <summary>Not stretched: arXiv:2104.09864.</summary>
    None,

    /// <summary>Every frequency is divided by the factor.</summary>
    Linear,

    /// <summary>Llama 3.1: low frequencies are divided, high ones kept, a smooth ramp between.</summary>
    Llama3,

    /// <summary>YaRN: as Llama 3 does it, with a linear ramp over the dimensions, and sharper attention (arXiv:2309.00071).</summary>
    Yarn,

    /// <summary>Phi-3: each frequency has its own divisor, one list for short and one for long sequences (arXiv:2402.13753).</summary>
    LongRope,
}

/// <summary>The rotary position settings of one kind of attention layer, from either spelling of config.json.</summary>
/// <remarks>Immutable.</remarks>
public sealed record RopeSettings
{
    /// <summary>Base of the geometric series of frequencies.</summary>
    public double Theta { get; init; } = 10000;

    /// <summary>Share of each head that is rotated, 0 to 1.</summary>
    public double PartialFactor { get; init; } = 1;

    /// <summary>The stretching rule.</summary>
    public RopeScaling Scaling { get; init; }

    /// <summary>Divisor of <see cref="RopeScaling.Linear"/>, <see cref="RopeScaling.Llama3"/> and <see cref="RopeScaling.Yarn"/>.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Llama 3: wavelengths above original context / this are fully stretched.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3: wavelengths below original context / this are kept.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>YaRN: frequencies that turn more often than this within the original context are kept.</summary>
    public double FastTurns { get; init; } = 32;

    /// <summary>YaRN: frequencies that turn less often than this within the original context are fully stretched.</summary>
    public double SlowTurns { get; init; } = 1;

    /// <summary>YaRN: the ramp starts and ends at whole dimensions.</summary>
    public bool WholeDimensions { get; init; } = true;

    /// <summary>Context length of pre-training, in tokens (llama3, yarn and longrope).</summary>
    public int OriginalContextLength { get; init; }

    /// <summary>Divisors for sequences up to the original context (longrope), one a frequency.</summary>
    public IReadOnlyList<double> ShortFactors { get; init; } = [];

    /// <summary>Divisors for longer sequences (longrope), one a frequency.</summary>
    public IReadOnlyList<double> LongFactors { get; init; } = [];

    /// <summary>Factor on cosine and sine (yarn and longrope); 1 elsewhere.</summary>
    public double AttentionFactor { get; init; } = 1;
}
