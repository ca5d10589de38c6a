using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Products with a weight matrix, by whichever of libtorch's libraries is faster on this processor.</summary>
/// <remarks>
/// In Float32 libtorch multiplies by MKL, whose kernels for other makers' processors reach two thirds of their speed where a matrix is read transposed;
/// oneDNN's, which are made for the processor at run time, do not care; a few rows are multiplied by <see cref="FewRowsProduct"/>. Other types and devices go libtorch's own way.
/// A pass may ask for products in 16-bit integers.
/// </remarks>
internal static class WeightProduct
{
    private static readonly bool s_prefersOneDnn = Avx2.IsSupported && !IsIntel();

    /// <summary>x · Wᵀ + b in a pass that autograd may record: by its own operator where it does, and otherwise as <see cref="Forward"/>.</summary>
    /// <param name="x">[…, in].</param>
    /// <param name="weight">[out, in], dtype of x.</param>
    /// <param name="bias">[out], dtype of x, or null.</param>
    /// <returns>[…, out]; fresh, owned by the caller's scope.</returns>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias)
    {
        if (is_grad_enabled() && (x.requires_grad || weight.requires_grad || bias is { requires_grad: true }))
        {
            return nn.functional.linear(x, weight, bias!);
        }

        return Rows(x, bias, rows => Forward(rows, weight));
    }

    /// <summary>A product of rows that autograd does not record, for any number of dimensions, and the bias.</summary>
    /// <param name="x">[…, in].</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="product">[N, in] to [N, out], fresh.</param>
    /// <returns>[…, out]; fresh, owned by the caller's scope.</returns>
    public static Tensor Rows(Tensor x, Tensor? bias, Func<Tensor, Tensor> product)
    {
        using var scope = NewDisposeScope();
        Tensor result = product(x.reshape(-1, x.shape[^1]));
        if (bias is not null)
        {
            result.AddInPlace(bias);
        }

        return result.view([.. x.shape[..^1], result.shape[1]]).MoveToOuterDisposeScope();
    }

    /// <summary>x · Wᵀ.</summary>
    /// <param name="x">[N, in].</param>
    /// <param name="weight">[out, in]; another dtype than x's is converted.</param>
    /// <param name="int16">By <see cref="Int16Product"/> where it fits.</param>
    /// <returns>[N, out], dtype of x; fresh, owned by the caller's scope.</returns>
    public static Tensor Forward(Tensor x, Tensor weight, bool int16 = false) =>
        int16 && Int16Product.Fits(x, weight) ? Int16Product.Forward(x, weight)
        : FewRowsProduct.Fits(x) && weight.dtype == x.dtype ? FewRowsProduct.Forward(x, weight)
        : TakesOneDnn(x) ? ByOneDnn(x, weight) : nn.functional.linear(x, weight.to(x.dtype));

    /// <summary>The input's gradient, dy · W.</summary>
    /// <param name="gradient">[N, out].</param>
    /// <param name="weight">[out, in]; another dtype than the gradient's is converted.</param>
    /// <param name="int16">By <see cref="Int16Product"/> where it fits.</param>
    /// <returns>[N, in], dtype of the gradient; fresh, owned by the caller's scope.</returns>
    public static Tensor Backward(Tensor gradient, Tensor weight, bool int16 = false) =>
        int16 && Int16Product.Fits(gradient, weight) ? Int16Product.Backward(gradient, weight)
        : TakesOneDnn(gradient) ? ByOneDnn(gradient, weight.t()) : gradient.matmul(weight.to(gradient.dtype));

    /// <summary>The weight in the order in which oneDNN reads it, for one that is multiplied by several times: up to a third faster, at the memory of a copy.</summary>
    /// <param name="weight">[out, in].</param>
    /// <param name="rows">N of those products.</param>
    /// <returns>For <see cref="ForwardPacked"/> alone; fresh, owned by the caller's scope. Null where nothing is gained.</returns>
    public static Tensor? Pack(Tensor weight, long rows) => TakesOneDnn(weight)
        ? TorchOperator.Result("mkldnn::_reorder_linear_weight", "", TorchOperator.Of(weight), TorchOperator.Given(rows))
        : null;

    /// <summary>x · Wᵀ.</summary>
    /// <param name="x">[N, in], Float32.</param>
    /// <param name="packed">From <see cref="Pack"/>.</param>
    /// <returns>[N, out]; fresh, owned by the caller's scope.</returns>
    public static Tensor ForwardPacked(Tensor x, Tensor packed) => ByOneDnn(x, packed);

    private static bool TakesOneDnn(Tensor x) => s_prefersOneDnn && x.dtype == ScalarType.Float32 && x.device.type == TorchSharp.DeviceType.CPU;

    private static Tensor ByOneDnn(Tensor x, Tensor weight) => TorchOperator.Result(
        "mkldnn::_linear_pointwise", "",
        TorchOperator.Of(x.contiguous()), TorchOperator.Of(weight), TorchOperator.None, TorchOperator.Of("none"), TorchOperator.Of(Array.Empty<Tensor>()), TorchOperator.None);

    private static bool IsIntel()
    {
        (_, int b, int c, int d) = X86Base.CpuId(0, 0);
        return (b, d, c) == (0x756E6547, 0x49656E69, 0x6C65746E); // "Genu", "ineI", "ntel"
    }
}
