using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>What one block keeps from its forward pass for its backward pass.</summary>
internal sealed class LayerTape : IDisposable
{
    private Tensor? _input;

    /// <summary>Owner of all tensors here but <see cref="Input"/>.</summary>
    public KeptTensors Kept { get; } = new();

    /// <summary>[N, C], the residual stream before the block; owned by the tape.</summary>
    public Tensor Input
    {
        get => _input ?? throw new ObjectDisposedException(nameof(LayerTape));
        set => _input = value.DetachFromDisposeScope();
    }

    /// <summary>[N, C], the residual stream between attention and feed-forward.</summary>
    public Tensor Middle { get; set; } = null!;

    /// <summary>[N, 1] each, the factors of the norms before attention and before the feed-forward block.</summary>
    public Tensor AttentionScale { get; set; } = null!;

    /// <inheritdoc cref="AttentionScale"/>
    public Tensor FeedForwardScale { get; set; } = null!;

    /// <summary>[N, C] and [N, 1]: what the norms after attention and after the feed-forward block were given, and their factors; only where a model has such norms.</summary>
    public (Tensor Value, Tensor Scale) AttentionResult { get; set; }

    /// <inheritdoc cref="AttentionResult"/>
    public (Tensor Value, Tensor Scale) FeedForwardResult { get; set; }

    /// <summary>Of the attention.</summary>
    public AttentionTape Attention { get; } = new();

    /// <summary>Of the feed-forward block.</summary>
    public FeedForwardTape FeedForward { get; } = new();

    /// <summary>The dropout's generator before the block, where a second forward pass has to drop the same; owned by the tape.</summary>
    public Tensor? GeneratorState
    {
        get;
        set
        {
            field?.Dispose();
            field = value?.DetachFromDisposeScope();
        }
    }

    /// <summary>Frees what a second forward pass from <see cref="Input"/> brings back.</summary>
    public void ForgetAllButInput() => Kept.Dispose();

    public void Dispose()
    {
        Kept.Dispose();
        GeneratorState = null;
        _input?.Dispose();
        _input = null;
    }
}

/// <summary>What attention keeps.</summary>
internal sealed class AttentionTape
{
    /// <summary>[B, T, H or K, D], heads before their norm, and the norm's factors; only where a model norms heads.</summary>
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

    /// <summary>[B, H, T], what the softmax divided by; null where libtorch's kernel attended.</summary>
    public Tensor? Sums { get; set; }

    /// <summary>Of the projections; where a model has one matrix for all, <see cref="QueryProjection"/> is its tape.</summary>
    public LoraTape? QueryProjection { get; set; }

    /// <inheritdoc cref="QueryProjection"/>
    public LoraTape? KeyProjection { get; set; }

    /// <inheritdoc cref="QueryProjection"/>
    public LoraTape? ValueProjection { get; set; }

    /// <inheritdoc cref="QueryProjection"/>
    public LoraTape? OutputProjection { get; set; }
}

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

/// <summary>What a low-rank update keeps.</summary>
/// <param name="Low">[N, R], input · Aᵀ.</param>
/// <param name="Mask">[N, in], 0 where the input was dropped and 1 / (1 - dropout) elsewhere; null without dropout.</param>
internal sealed record LoraTape(Tensor Low, Tensor? Mask);
