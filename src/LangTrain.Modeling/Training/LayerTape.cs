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

    /// <summary>[N, 1] each, the factors of the norms before attention and before the feed-forward block; null where a model has no such norms.</summary>
    public Tensor? AttentionScale { get; set; }

    /// <inheritdoc cref="AttentionScale"/>
    public Tensor? FeedForwardScale { get; set; }

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
