using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>How the weights of the linear layers are kept in memory.</summary>
public enum Quantization
{
    /// <summary>As they are, in the compute dtype.</summary>
    None,

    /// <summary>4-bit NormalFloat with double quantization (arXiv:2305.14314); such layers are frozen.</summary>
    NF4,
}

/// <summary>Where and how a model's weights are put.</summary>
/// <remarks>Immutable.</remarks>
public sealed record ModelLoadOptions
{
    /// <summary>Type of weights and activations: Float32 (default), BFloat16, Float16, or Float64 for tests of the mathematics.</summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;

    /// <summary>Where weights live and passes run; the CPU by default. The meta device holds names and shapes only.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>How the linear layers of the blocks are kept; embeddings, norms and the output projection never are quantized.</summary>
    public Quantization Quantization { get; init; }
}
