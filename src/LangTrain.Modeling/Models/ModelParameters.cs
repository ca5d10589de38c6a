using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Makes the parameters of a model: frozen until somebody trains them, and owned by their module, never by a dispose scope.</summary>
internal static class ModelParameters
{
    public static Parameter Empty(ModelLoadOptions options, params long[] shape)
    {
        using Tensor data = empty(shape, options.Dtype, options.Device);
        var parameter = new Parameter(data, requires_grad: false);
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
