using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>The pass as autograd records it: right for every model and adapter.</summary>
internal sealed class AutogradPass : TrackedPass
{
    private readonly Tensor _recorded, _hidden;

    /// <param name="recorded">[B, T, C] with its history.</param>
    public AutogradPass(Tensor recorded)
    {
        _recorded = recorded.DetachFromDisposeScope();
        _hidden = recorded.detach().DetachFromDisposeScope();
    }

    public override Tensor Hidden => _hidden;

    public override void Backward(Tensor gradient) => _recorded.backward([gradient]);

    public override void Dispose()
    {
        _hidden.Dispose();
        _recorded.Dispose();
    }
}
