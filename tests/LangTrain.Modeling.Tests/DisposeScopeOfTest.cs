using TorchSharp;

namespace LangTrain.Modeling.Tests;

/// <summary>Frees the tensors that a test's body makes.</summary>
internal sealed class DisposeScopeOfTest : IDisposable
{
    private readonly DisposeScope _scope = torch.NewDisposeScope();

    public void Dispose() => _scope.Dispose();
}
