using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>x·Wᵀ for a quantized W: the backward pass dequantizes again instead of keeping the dense weight (arXiv:2305.14314, equation 5).</summary>
internal sealed class QuantizedProduct : autograd.SingleTensorFunction<QuantizedProduct>
{
    public override string Name => nameof(QuantizedProduct);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var weight = (QuantizedWeight)vars[1];
        ctx.save_data(nameof(QuantizedWeight), weight);
        using Tensor dense = weight.Dequantize();
        return nn.functional.linear((Tensor)vars[0], dense);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using Tensor dense = ((QuantizedWeight)ctx.get_data(nameof(QuantizedWeight))).Dequantize();
        return [matmul(grad_output, dense), null!];
    }
}
