using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>A weight matrix kept in fewer bits. Products with it dequantize inside, forward and backward, so that no dense copy outlives a product.</summary>
/// <remarks>Immutable; several threads may use it. Dispose it to free its memory.</remarks>
public abstract class QuantizedWeight : IDisposable
{
    /// <summary>[out, in].</summary>
    public abstract IReadOnlyList<long> Shape { get; }

    /// <summary>Bytes that the weight takes in memory.</summary>
    public abstract long ByteCount { get; }

    /// <summary>The dense weight.</summary>
    /// <returns>[out, in], compute dtype; fresh, owned by the caller's scope.</returns>
    public abstract Tensor Dequantize();

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>x·Wᵀ + b with gradients for x.</summary>
    internal Tensor Multiply(Tensor x, Tensor? bias)
    {
        if (x.requires_grad && is_grad_enabled())
        {
            Tensor product = QuantizedProduct.apply(x, this);
            return bias is null ? product : product.Plus(bias);
        }

        return WeightProduct.Rows(x, bias, Product);
    }

    /// <summary>x·Wᵀ where nobody asks for gradients.</summary>
    /// <param name="x">[N, in].</param>
    /// <returns>[N, out]; fresh, owned by the caller's scope.</returns>
    private protected virtual Tensor Product(Tensor x)
    {
        using Tensor weight = Dequantize();
        return WeightProduct.Forward(x, weight);
    }
}
