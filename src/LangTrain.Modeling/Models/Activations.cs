using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>The nonlinearities that config.json can name.</summary>
internal static class Activations
{
    public static Tensor Apply(Activation activation, Tensor x) => activation switch
    {
        Activation.Silu => nn.functional.silu(x),
        Activation.GeluTanh => nn.functional.gelu(x, GELU.Approximate.tanh),
        Activation.Relu => nn.functional.relu(x),
        Activation.Tanh => x.tanh(),
        _ => nn.functional.gelu(x),
    };

    /// <summary>gradient · activation'(x).</summary>
    public static Tensor Backward(Activation activation, Tensor gradient, Tensor x) => activation switch
    {
        Activation.Silu => TorchOperator.Result("aten::silu_backward", "", TorchOperator.Of(gradient), TorchOperator.Of(x)),
        Activation.Relu => gradient * x.gt(Scalars.Of(0)),
        Activation.Tanh => TorchOperator.Result("aten::tanh_backward", "", TorchOperator.Of(gradient), TorchOperator.Of(x.tanh())),
        _ => TorchOperator.Result("aten::gelu_backward", "", TorchOperator.Of(gradient), TorchOperator.Of(x), TorchOperator.Of(activation == Activation.GeluTanh ? "tanh" : "none")),
    };
}
