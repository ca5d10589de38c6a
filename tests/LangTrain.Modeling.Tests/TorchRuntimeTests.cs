using TorchSharp;

namespace LangTrain.Modeling.Tests;

public class TorchRuntimeTests
{
    [Fact]
    public void Libtorch_loads_and_computes()
    {
        using var scope = torch.NewDisposeScope();
        Assert.Equal(12f, (torch.ones(2, 3) * 2).sum().item<float>());
    }
}
