using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Products with a weight matrix, by whichever of libtorch's libraries is faster on this processor.</summary>
/// <remarks>
/// In Float32 libtorch multiplies by MKL, whose kernels for other makers' processors reach two thirds of their speed where a matrix is read transposed;
/// oneDNN's, which are made for the processor at run time, do not care. Other types and devices go libtorch's own way. A pass may ask for products in 16-bit integers.
/// </remarks>
internal static class WeightProduct
{
    private static readonly bool s_prefersOneDnn = Avx2.IsSupported && !IsIntel();

    /// <summary>x · Wᵀ.</summary>
    /// <param name="x">[N, in].</param>
    /// <param name="weight">[out, in]; another dtype than x's is converted.</param>
    /// <param name="int16">By <see cref="Int16Product"/> where it fits.</param>
    /// <returns>[N, out], dtype of x; fresh, owned by the caller's scope.</returns>
    public static Tensor Forward(Tensor x, Tensor weight, bool int16 = false) =>
        int16 && Int16Product.Fits(x, weight) ? Int16Product.Forward(x, weight)
        : TakesOneDnn(x) ? ByOneDnn(x, weight) : nn.functional.linear(x, weight.to(x.dtype));

    /// <summary>The input's gradient, dy · W.</summary>
    /// <param name="gradient">[N, out].</param>
    /// <param name="weight">[out, in]; another dtype than the gradient's is converted.</param>
    /// <param name="int16">By <see cref="Int16Product"/> where it fits.</param>
    /// <returns>[N, in], dtype of the gradient; fresh, owned by the caller's scope.</returns>
    public static Tensor Backward(Tensor gradient, Tensor weight, bool int16 = false) =>
        int16 && Int16Product.Fits(gradient, weight) ? Int16Product.Backward(gradient, weight)
        : TakesOneDnn(gradient) ? ByOneDnn(gradient, weight.t()) : gradient.matmul(weight.to(gradient.dtype));

    /// <summary>The weight in the order in which <see cref="Forward"/> reads it, for one that is multiplied by several times: up to a third faster, at the memory of a copy.</summary>
    /// <param name="weight">[out, in].</param>
    /// <param name="rows">N of those products.</param>
    /// <returns>For <see cref="Forward"/> alone. The weight itself where nothing is gained, or fresh and owned by the caller's scope.</returns>
    public static Tensor Pack(Tensor weight, long rows) => TakesOneDnn(weight)
        ? TorchOperator.Result("mkldnn::_reorder_linear_weight", "", TorchOperator.Of(weight), TorchOperator.Given(rows))
        : weight;

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
