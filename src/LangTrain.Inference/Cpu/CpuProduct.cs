using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LangTrain.Inference.Cpu;

/// <summary>
/// Products of a weight with some vectors, eight lanes at a time. Each y[b, r] is made of its own row and vector in one fixed order, whatever else
/// is computed beside it: a token's numbers are the same to the last bit alone and in any batch, in one chunk and in many. A weight that is not
/// float32 is turned into it on the way: the result is that of its float32 copy, to the last bit.
/// </summary>
/// <remarks>
/// Tiles of 3 by 4 fill the 16 registers of AVX2. Compiled at once and fully: a first request must not run on unoptimized loops.
/// </remarks>
internal static unsafe class CpuProduct
{
    private const int Lanes = 8;

    /// <summary>Above this batch the vectors no longer stay in the first-level cache while rows pass: then rows pass over four of them at a time.</summary>
    private const int SmallBatch = 16;

    /// <param name="w">The weight.</param>
    /// <param name="x">[batch, inputs].</param>
    /// <param name="y">[batch, stride]; written at [b, r].</param>
    /// <param name="batch">Vectors in <paramref name="x"/>.</param>
    /// <param name="stride">Floats between two results of one r.</param>
    /// <param name="first">First row.</param>
    /// <param name="end">Row after the last.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TRow>(in CpuMatrix w, float* x, float* y, int batch, int stride, int first, int end)
        where TRow : struct, IWeightRow<TRow>
    {
        var n = w.Inputs;
        if (batch < 4)
        {
            var r = first;
            for (; r + 4 <= end; r += 4)
            {
                for (var b = 0; b < batch; b++)
                    FourByOne<TRow>(w, r, x + (long)b * n, y + (long)b * stride + r);
            }
            for (; r < end; r++)
            {
                for (var b = 0; b < batch; b++)
                    y[(long)b * stride + r] = OneByOne<TRow>(w, r, x + (long)b * n);
            }
            return;
        }
        var group = batch <= SmallBatch ? batch : 4; // Vectors that one sweep over the rows takes.
        for (var start = 0; start < batch; start += group)
        {
            var stop = Math.Min(start + group, batch);
            var r = first;
            for (; r + 3 <= end; r += 3)
            {
                var b = start;
                for (; b + 4 <= stop; b += 4)
                    ThreeByFour<TRow>(w, r, x + (long)b * n, y + (long)b * stride + r, stride);
                for (; b < stop; b++)
                    ThreeByOne<TRow>(w, r, x + (long)b * n, y + (long)b * stride + r);
            }
            for (; r < end; r++)
            {
                for (var b = start; b < stop; b++)
                    y[(long)b * stride + r] = OneByOne<TRow>(w, r, x + (long)b * n);
            }
        }
    }

    /// <summary>a · b, in the same order of additions.</summary>
    public static float Dot(float* a, float* b, int n) => OneByOne<Float32Row>(CpuMatrix.Of(a, 1, n), 0, b);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ThreeByFour<TRow>(in CpuMatrix w, int r, float* x, float* y, int stride)
        where TRow : struct, IWeightRow<TRow>
    {
        Vector256<float> a00 = default, a01 = default, a02 = default, a10 = default, a11 = default, a12 = default;
        Vector256<float> a20 = default, a21 = default, a22 = default, a30 = default, a31 = default, a32 = default;
        TRow w0 = TRow.Of(w, r), w1 = TRow.Of(w, r + 1), w2 = TRow.Of(w, r + 2);
        var n = w.Inputs;
        float* x1 = x + n, x2 = x1 + n, x3 = x2 + n;
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
        {
            Vector256<float> v0 = w0.Load(k), v1 = w1.Load(k), v2 = w2.Load(k), u = Vector256.Load(x + k);
            a00 = Vector256.FusedMultiplyAdd(v0, u, a00);
            a01 = Vector256.FusedMultiplyAdd(v1, u, a01);
            a02 = Vector256.FusedMultiplyAdd(v2, u, a02);
            u = Vector256.Load(x1 + k);
            a10 = Vector256.FusedMultiplyAdd(v0, u, a10);
            a11 = Vector256.FusedMultiplyAdd(v1, u, a11);
            a12 = Vector256.FusedMultiplyAdd(v2, u, a12);
            u = Vector256.Load(x2 + k);
            a20 = Vector256.FusedMultiplyAdd(v0, u, a20);
            a21 = Vector256.FusedMultiplyAdd(v1, u, a21);
            a22 = Vector256.FusedMultiplyAdd(v2, u, a22);
            u = Vector256.Load(x3 + k);
            a30 = Vector256.FusedMultiplyAdd(v0, u, a30);
            a31 = Vector256.FusedMultiplyAdd(v1, u, a31);
            a32 = Vector256.FusedMultiplyAdd(v2, u, a32);
        }
        Store(Sum(a00, a01, a02, default), w0, w1, w2, x, y, k, n);
        Store(Sum(a10, a11, a12, default), w0, w1, w2, x1, y + stride, k, n);
        Store(Sum(a20, a21, a22, default), w0, w1, w2, x2, y + 2L * stride, k, n);
        Store(Sum(a30, a31, a32, default), w0, w1, w2, x3, y + 3L * stride, k, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ThreeByOne<TRow>(in CpuMatrix w, int r, float* x, float* y)
        where TRow : struct, IWeightRow<TRow>
    {
        Vector256<float> a0 = default, a1 = default, a2 = default;
        TRow w0 = TRow.Of(w, r), w1 = TRow.Of(w, r + 1), w2 = TRow.Of(w, r + 2);
        int n = w.Inputs, k = 0;
        for (; k + Lanes <= n; k += Lanes)
        {
            var u = Vector256.Load(x + k);
            a0 = Vector256.FusedMultiplyAdd(w0.Load(k), u, a0);
            a1 = Vector256.FusedMultiplyAdd(w1.Load(k), u, a1);
            a2 = Vector256.FusedMultiplyAdd(w2.Load(k), u, a2);
        }
        Store(Sum(a0, a1, a2, default), w0, w1, w2, x, y, k, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByOne<TRow>(in CpuMatrix w, int r, float* x, float* y)
        where TRow : struct, IWeightRow<TRow>
    {
        Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default;
        TRow w0 = TRow.Of(w, r), w1 = TRow.Of(w, r + 1), w2 = TRow.Of(w, r + 2), w3 = TRow.Of(w, r + 3);
        int n = w.Inputs, k = 0;
        for (; k + Lanes <= n; k += Lanes)
        {
            var u = Vector256.Load(x + k);
            a0 = Vector256.FusedMultiplyAdd(w0.Load(k), u, a0);
            a1 = Vector256.FusedMultiplyAdd(w1.Load(k), u, a1);
            a2 = Vector256.FusedMultiplyAdd(w2.Load(k), u, a2);
            a3 = Vector256.FusedMultiplyAdd(w3.Load(k), u, a3);
        }
        var sums = Sum(a0, a1, a2, a3);
        Store(sums, w0, w1, w2, x, y, k, n);
        y[3] = Finish(sums[3], w3, x, k, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float OneByOne<TRow>(in CpuMatrix w, int r, float* x)
        where TRow : struct, IWeightRow<TRow>
    {
        var sum = Vector256<float>.Zero;
        var row = TRow.Of(w, r);
        int n = w.Inputs, k = 0;
        for (; k + Lanes <= n; k += Lanes)
            sum = Vector256.FusedMultiplyAdd(row.Load(k), Vector256.Load(x + k), sum);
        return Finish(Sum(sum, default, default, default)[0], row, x, k, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TRow>(Vector128<float> sums, TRow w0, TRow w1, TRow w2, float* x, float* y, int k, int n)
        where TRow : struct, IWeightRow<TRow>
    {
        y[0] = Finish(sums[0], w0, x, k, n);
        y[1] = Finish(sums[1], w1, x, k, n);
        y[2] = Finish(sums[2], w2, x, k, n);
    }

    // What is left behind the last whole vector.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Finish<TRow>(float sum, TRow row, float* x, int k, int n)
        where TRow : struct, IWeightRow<TRow>
    {
        for (; k < n; k++)
            sum = MathF.FusedMultiplyAdd(row.At(k), x[k], sum);
        return sum;
    }

    // The sum of each one's lanes, always neighbours first: ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sum(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        if (Avx.IsSupported)
        {
            var quarters = Avx.HorizontalAdd(Avx.HorizontalAdd(a, b), Avx.HorizontalAdd(c, d));
            return quarters.GetLower() + quarters.GetUpper();
        }
        return Vector128.Create(SumOne(a), SumOne(b), SumOne(c), SumOne(d));
    }

    private static float SumOne(Vector256<float> v) => ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}
