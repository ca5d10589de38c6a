using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>What attention keeps.</summary>
internal sealed class AttentionTape
{
    /// <summary>[B, T, H or K, D], heads before their norm, and the norm's factors; [B, T, 1, H · D or K · D] where it takes them together. Only where a model norms heads.</summary>
    public (Tensor Heads, Tensor Scale) QueryNorm { get; set; }

    /// <inheritdoc cref="QueryNorm"/>
    public (Tensor Heads, Tensor Scale) KeyNorm { get; set; }

    /// <summary>[B, T, H or K, D] for <see cref="TrackedAttention"/>; otherwise [B, H or K, T, D], leaves of autograd's record of libtorch's kernel.</summary>
    public Tensor Query { get; set; } = null!;

    /// <inheritdoc cref="Query"/>
    public Tensor Key { get; set; } = null!;

    /// <inheritdoc cref="Query"/>
    public Tensor Value { get; set; } = null!;

    /// <summary>The answers, in the order of <see cref="Query"/>; with that record.</summary>
    public Tensor Attended { get; set; } = null!;

    /// <summary>[B, H, T], logarithms of the sums that the softmax divided by; null where libtorch's kernel attended.</summary>
    public Tensor? LogSums { get; set; }

    /// <summary>Of the projections; where a model has one matrix for all, <see cref="QueryProjection"/> is its tape.</summary>
    public LoraTape? QueryProjection { get; set; }

    /// <inheritdoc cref="QueryProjection"/>
    public LoraTape? KeyProjection { get; set; }

    /// <inheritdoc cref="QueryProjection"/>
    public LoraTape? ValueProjection { get; set; }

    /// <inheritdoc cref="QueryProjection"/>
    public LoraTape? OutputProjection { get; set; }
}
