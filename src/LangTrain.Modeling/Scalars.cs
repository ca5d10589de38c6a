using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Numbers that operators take, held for as long as they are read. Thread-safe.</summary>
/// <remarks>
/// TorchSharp gives libtorch a scalar's address and lets go of the object: where garbage is collected in just that moment, the operator reads freed memory,
/// and fails or computes with another number. So none is made by TorchSharp's own conversions, operators and methods (<see cref="TensorSums"/> stands in for
/// some of them); an architecture test looks at every call.
/// </remarks>
internal static class Scalars
{
    // An operator takes three at most, and a thread is in one operator at a time.
    private const int HeldByThread = 8;

    [ThreadStatic]
    private static Scalar[]? s_held;

    [ThreadStatic]
    private static int s_next;

    /// <summary>A floating-point number.</summary>
    /// <returns>For one call of an operator, by this thread.</returns>
    public static Scalar Of(double value) => Hold(value);

    /// <summary>An integer.</summary>
    /// <inheritdoc cref="Of(double)" path="/returns"/>
    public static Scalar Of(long value) => Hold(value);

    /// <summary>The integers from one up to another.</summary>
    /// <param name="from">The first.</param>
    /// <param name="to">The one behind the last.</param>
    /// <param name="device">Where to make them.</param>
    /// <returns>[to - from], int64; fresh, owned by the caller's scope.</returns>
    public static Tensor Range(long from, long to, Device device) => arange(Of(from), Of(to), Of(1), ScalarType.Int64, device);

    private static Scalar Hold(Scalar scalar)
    {
        s_held ??= new Scalar[HeldByThread];
        s_held[s_next] = scalar;
        s_next = (s_next + 1) % HeldByThread;
        return scalar;
    }
}

/// <summary>Sums of tensors; see <see cref="Scalars"/> for why TorchSharp's own are not used.</summary>
internal static class TensorSums
{
    /// <summary>x + y, broadcast; fresh, owned by the caller's scope.</summary>
    public static Tensor Plus(this Tensor x, Tensor y) => x.add(y, Scalars.Of(1));

    /// <summary>x + y for each element; fresh, owned by the caller's scope.</summary>
    public static Tensor Plus(this Tensor x, double y) => x.add(Scalars.Of(y), Scalars.Of(1));

    /// <summary>x + y in x.</summary>
    /// <returns><paramref name="x"/>.</returns>
    public static Tensor AddInPlace(this Tensor x, Tensor y) => x.add_(y, Scalars.Of(1));

    /// <inheritdoc cref="AddInPlace(Tensor, Tensor)"/>
    public static Tensor AddInPlace(this Tensor x, double y) => x.add_(Scalars.Of(y), Scalars.Of(1));
}
