using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>x·Wᵀ for a 4-bit W: the backward pass dequantizes again instead of keeping the dense weight (arXiv:2305.14314, equation 5).</summary>
internal sealed class Nf4Product : autograd.SingleTensorFunction<Nf4Product>
{
    public override string Name => nameof(Nf4Product);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var weight = (Nf4Weight)vars[1];
        ctx.save_data(nameof(Nf4Weight), weight);
        using Tensor dense = weight.Dequantize();
        return nn.functional.linear((Tensor)vars[0], dense);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using Tensor dense = ((Nf4Weight)ctx.get_data(nameof(Nf4Weight))).Dequantize();
        return [matmul(grad_output, dense), null!];
    }
}
