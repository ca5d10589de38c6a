using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>What the feed-forward block keeps.</summary>
internal sealed class FeedForwardTape
{
    /// <summary>[N, F].</summary>
    public Tensor Gate { get; set; } = null!;

    /// <summary>[N, F].</summary>
    public Tensor Up { get; set; } = null!;

    /// <summary>Of the projections; where a model has one matrix for gate and up, <see cref="GateProjection"/> is its tape.</summary>
    public LoraTape? GateProjection { get; set; }

    /// <inheritdoc cref="GateProjection"/>
    public LoraTape? UpProjection { get; set; }

    /// <inheritdoc cref="GateProjection"/>
    public LoraTape? DownProjection { get; set; }
}
