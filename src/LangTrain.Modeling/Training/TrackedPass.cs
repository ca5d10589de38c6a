using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>A forward pass that knows its way back: hidden states now, and the gradient of whatever learns once the loss's gradient is there.</summary>
/// <remarks>Made by <see cref="DecoderModel.Track"/>. The ids, positions and segments must live until <see cref="Backward"/> is over. One thread; disposed by who made it.</remarks>
internal abstract class TrackedPass : IDisposable
{
    /// <summary>[B, T, C] after the last norm, compute dtype; owned by the pass. What is made of it has no history.</summary>
    public abstract Tensor Hidden { get; }

    /// <summary>Adds to the gradient of every parameter that learns; once a pass.</summary>
    /// <param name="gradient">[B, T, C], the loss's with respect to <see cref="Hidden"/>.</param>
    public abstract void Backward(Tensor gradient);

    /// <inheritdoc/>
    public abstract void Dispose();
}
