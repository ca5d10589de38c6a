using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LangTrain.Modeling;

/// <summary>What attention does to rows of scores, in Float32.</summary>
internal static unsafe class RowMath
{
    private static readonly Vector256<int> s_columns = Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7);

    /// <summary>The softmax of a row's columns from <paramref name="first"/> to <paramref name="last"/>; the others become 0.</summary>
    /// <returns>The logarithm of the sum of exponentials.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Softmax(float* row, int width, int first, int last)
    {
        Vector256<float> most = Vector256.Create(float.NegativeInfinity), sums = default;
        for (int k = first & ~7; k <= last; k += 8)
        {
            most = Vector256.Max(most, Vector256.ConditionalSelect(Inside(k, first, last), Vector256.Load(row + k), most));
        }

        float largest = Largest(most);
        Clear(row, width, first, last);
        Vector256<float> least = Vector256.Create(largest);
        for (int k = first & ~7; k <= last; k += 8)
        {
            Vector256<float> weight = Exp(Vector256.Load(row + k) - least) & Inside(k, first, last);
            sums += weight;
            weight.Store(row + k);
        }

        float sum = Vector256.Sum(sums);
        Vector256<float> share = Vector256.Create(1 / sum);
        for (int k = first & ~7; k <= last; k += 8)
        {
            (Vector256.Load(row + k) * share).Store(row + k);
        }

        return largest + MathF.Log(sum);
    }

    /// <summary>The same weights again, from that logarithm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weights(float* row, int width, int first, int last, float logarithm)
    {
        Clear(row, width, first, last);
        Vector256<float> shift = Vector256.Create(logarithm);
        for (int k = first & ~7; k <= last; k += 8)
        {
            (Exp(Vector256.Load(row + k) - shift) & Inside(k, first, last)).Store(row + k);
        }
    }

    /// <summary>gradient = weights · (gradient - share).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScoreGradient(float* weights, float* gradient, int width, float share)
    {
        Vector256<float> shares = Vector256.Create(share);
        for (int k = 0; k < width; k += 8)
        {
            (Vector256.Load(weights + k) * (Vector256.Load(gradient + k) - shares)).Store(gradient + k);
        }
    }

    /// <summary>Σ left · right over <paramref name="count"/> elements, a multiple of 8.</summary>
    public static float Dot(float* left, float* right, int count)
    {
        Vector256<float> sums = default;
        for (int k = 0; k < count; k += 8)
        {
            sums = Fma.MultiplyAdd(Vector256.Load(left + k), Vector256.Load(right + k), sums);
        }

        return Vector256.Sum(sums);
    }

    /// <summary>to = factor · from, <paramref name="count"/> elements, a multiple of 8.</summary>
    public static void Scale(float* from, float factor, float* to, int count)
    {
        Vector256<float> factors = Vector256.Create(factor);
        for (int k = 0; k < count; k += 8)
        {
            (Vector256.Load(from + k) * factors).Store(to + k);
        }
    }

    /// <summary>eˣ to two units in the last place; 0 below -87, where the true value is no normal number any more.</summary>
    /// <remarks>2ⁿ · eʳ with |r| at most ln(2) / 2, eʳ by the polynomial of Cephes' expf (netlib.org/cephes).</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Exp(Vector256<float> x)
    {
        Vector256<float> least = Vector256.Create(-87f);
        Vector256<float> kept = Vector256.GreaterThanOrEqual(x, least) | ~Vector256.Equals(x, x); // what is no number stays none
        Vector256<float> n = Vector256.Round(Vector256.Max(x, least) * Vector256.Create(1.44269504f));
        Vector256<float> r = Fma.MultiplyAddNegated(n, Vector256.Create(0.693359375f), x);
        r = Fma.MultiplyAddNegated(n, Vector256.Create(-2.12194440e-4f), r);
        Vector256<float> p = Vector256.Create(1.9875691500e-4f);
        p = Fma.MultiplyAdd(p, r, Vector256.Create(1.3981999507e-3f));
        p = Fma.MultiplyAdd(p, r, Vector256.Create(8.3334519073e-3f));
        p = Fma.MultiplyAdd(p, r, Vector256.Create(4.1665795894e-2f));
        p = Fma.MultiplyAdd(p, r, Vector256.Create(1.6666665459e-1f));
        p = Fma.MultiplyAdd(p, r, Vector256.Create(5.0000001201e-1f));
        p = Fma.MultiplyAdd(p, r * r, r + Vector256<float>.One);
        Vector256<int> power = (Vector256.ConvertToInt32(n) + Vector256.Create(127)) << 23;
        return p * power.AsSingle() & kept;
    }

    private static void Clear(float* row, int width, int first, int last)
    {
        int from = first & ~7, to = (last | 7) + 1;
        new Span<float>(row, from).Clear();
        new Span<float>(row + to, width - to).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Inside(int column, int first, int last)
    {
        Vector256<int> columns = Vector256.Create(column) + s_columns;
        return (Vector256.GreaterThanOrEqual(columns, Vector256.Create(first)) & Vector256.LessThanOrEqual(columns, Vector256.Create(last))).AsSingle();
    }

    private static float Largest(Vector256<float> values)
    {
        float largest = values[0];
        for (int i = 1; i < 8; i++)
        {
            largest = MathF.Max(largest, values[i]);
        }

        return largest;
    }
}
