using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>How weights are kept in memory.</summary>
public enum Quantization
{
    /// <summary>As they are, in the compute dtype.</summary>
    None,

    /// <summary>4-bit NormalFloat with double quantization (arXiv:2305.14314); such layers are frozen.</summary>
    NF4,

    /// <summary>8-bit integers with a scale for each 64 of a row, embeddings and output projection included: a quarter of the memory, for serving.</summary>
    Int8,
}

/// <summary>Where and how a model's weights are put.</summary>
/// <remarks>Immutable.</remarks>
public sealed record ModelLoadOptions
{
    /// <summary>Type of weights and activations: Float32 (default), BFloat16, Float16, or Float64 for tests of the mathematics.</summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;

    /// <summary>Where weights live and passes run; the CPU by default. The meta device holds names and shapes only.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>How the linear layers of the blocks are kept; norms never are quantized, embeddings and the output projection as 8-bit integers only.</summary>
    public Quantization Quantization { get; init; }

    /// <summary>
    /// Weights that need no conversion stay on the file's pages and are read when they are first used; writing to one copies its page. The files must not
    /// be changed in place while the model lives (replaced or deleted they may be). Default false: the weights are copied.
    /// </summary>
    public bool MapWeights { get; init; }
}
