using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LangTrain.Inference.Cpu;

/// <summary>
/// Products of a weight with some vectors, eight lanes at a time. Each y[b, r] is made of its own row and vector in one fixed order, whatever else
/// is computed beside it: a token's numbers are the same to the last bit alone and in any batch, in one chunk and in many. bfloat16 is turned into
/// float32 on the way: the result is that of its float32 copy, to the last bit.
/// </summary>
/// <remarks>
/// Tiles of four rows by three vectors fill the 16 registers of AVX2, and four sums are stored at once. Compiled at once and fully: a first request
/// must not run on unoptimized loops.
/// </remarks>
internal static unsafe class CpuProduct
{
    private const int Lanes = 8, TileRows = 4, TileVectors = 3;

    /// <summary>Above this batch narrow weights are widened once, beside the products and not in them.</summary>
    private const int SmallBatch = 16;

    /// <summary>Bytes of vectors that rows pass over at a time: with the rows of a block they stay in a core's second-level cache of 512 KiB.</summary>
    private const int GroupBytes = 192 << 10;

    /// <summary>Bytes of rows that pass over three vectors before the next three: with these they stay in the first-level cache of 32 KiB.</summary>
    private const int NearBytes = 20 << 10;

    [ThreadStatic]
    private static float[]? _widened;

    /// <param name="w">The weight.</param>
    /// <param name="x">[batch, <paramref name="step"/>], the first <c>inputs</c> of each.</param>
    /// <param name="step">Floats from one vector to the next.</param>
    /// <param name="y">[batch, stride]; written at [b, r].</param>
    /// <param name="batch">Vectors in <paramref name="x"/>.</param>
    /// <param name="stride">Floats between two results of one r.</param>
    /// <param name="first">First row.</param>
    /// <param name="end">Row after the last.</param>
    public static void Multiply<TRow>(in CpuMatrix w, float* x, int step, float* y, int batch, int stride, int first, int end)
        where TRow : struct, IWeightRow<TRow>
    {
        if (typeof(TRow) == typeof(Float32Row) || batch <= SmallBatch)
        {
            MultiplyGroups<TRow>(w, x, step, y, batch, stride, first, end);
            return;
        }
        const int Rows = 16;
        var n = w.Inputs;
        if (_widened is null || _widened.Length < Rows * n)
            _widened = GC.AllocateUninitializedArray<float>(Rows * n, pinned: true);
        var wide = (float*)Unsafe.AsPointer(ref _widened[0]);
        for (var r = first; r < end; r += Rows)
        {
            var rows = Math.Min(Rows, end - r);
            for (var i = 0; i < rows; i++)
                Widen(TRow.Of(w, r + i), wide + (long)i * n, n);
            MultiplyGroups<Float32Row>(CpuMatrix.Of(wide, rows, n), x, step, y + r, batch, stride, 0, rows);
        }
    }

    /// <summary>a · b, in the same order of additions.</summary>
    public static float Dot(float* a, float* b, int n) => OneByOne<Float32Row>(CpuMatrix.Of(a, 1, n), 0, b);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyGroups<TRow>(in CpuMatrix w, float* x, int step, float* y, int batch, int stride, int first, int end)
        where TRow : struct, IWeightRow<TRow>
    {
        int bytes = w.Inputs * sizeof(float), whole = first + (end - first) / TileRows * TileRows;
        var group = Math.Max(TileVectors, GroupBytes / bytes / TileVectors * TileVectors);
        var near = Math.Max(TileRows, NearBytes / bytes / TileRows * TileRows);
        for (var start = 0; start < batch; start += group)
        {
            var stop = Math.Min(start + group, batch);
            for (var nearFirst = first; nearFirst < whole; nearFirst += near)
            {
                var nearEnd = Math.Min(nearFirst + near, whole);
                for (var b = start; b < stop;)
                {
                    // Four that are left are two and two.
                    var count = stop - b is 4 or 2 ? 2 : stop - b == 1 ? 1 : TileVectors;
                    for (var r = nearFirst; r < nearEnd; r += TileRows)
                    {
                        float* to = y + (long)b * stride + r, from = x + (long)b * step;
                        if (count == TileVectors)
                            FourByThree<TRow>(w, r, from, step, to, stride);
                        else if (count == 2)
                            FourByTwo<TRow>(w, r, from, step, to, stride);
                        else
                            FourByOne<TRow>(w, r, from, to);
                    }
                    b += count;
                }
            }
            for (var r = whole; r < end; r++)
            {
                for (var b = start; b < stop; b++)
                    y[(long)b * stride + r] = OneByOne<TRow>(w, r, x + (long)b * step);
            }
        }
    }

    /// <summary>Writes a row's first <paramref name="n"/> weights as float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen<TRow>(TRow row, float* to, int n)
        where TRow : struct, IWeightRow<TRow>
    {
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
            row.Load(k).Store(to + k);
        for (; k < n; k++)
            to[k] = row.At(k);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByThree<TRow>(in CpuMatrix w, int r, float* x, int step, float* y, int stride)
        where TRow : struct, IWeightRow<TRow>
    {
        Vector256<float> a00 = default, a01 = default, a02 = default, a03 = default, a10 = default, a11 = default, a12 = default, a13 = default;
        Vector256<float> a20 = default, a21 = default, a22 = default, a23 = default;
        TRow w0 = TRow.Of(w, r), w1 = TRow.Of(w, r + 1), w2 = TRow.Of(w, r + 2), w3 = TRow.Of(w, r + 3);
        int n = w.Inputs, k = 0;
        float* x1 = x + step, x2 = x1 + step;
        for (; k + Lanes <= n; k += Lanes)
        {
            Vector256<float> u0 = Vector256.Load(x + k), u1 = Vector256.Load(x1 + k), u2 = Vector256.Load(x2 + k), v = w0.Load(k);
            a00 = Vector256.FusedMultiplyAdd(v, u0, a00);
            a10 = Vector256.FusedMultiplyAdd(v, u1, a10);
            a20 = Vector256.FusedMultiplyAdd(v, u2, a20);
            v = w1.Load(k);
            a01 = Vector256.FusedMultiplyAdd(v, u0, a01);
            a11 = Vector256.FusedMultiplyAdd(v, u1, a11);
            a21 = Vector256.FusedMultiplyAdd(v, u2, a21);
            v = w2.Load(k);
            a02 = Vector256.FusedMultiplyAdd(v, u0, a02);
            a12 = Vector256.FusedMultiplyAdd(v, u1, a12);
            a22 = Vector256.FusedMultiplyAdd(v, u2, a22);
            v = w3.Load(k);
            a03 = Vector256.FusedMultiplyAdd(v, u0, a03);
            a13 = Vector256.FusedMultiplyAdd(v, u1, a13);
            a23 = Vector256.FusedMultiplyAdd(v, u2, a23);
        }
        Sum(a00, a01, a02, a03).Store(y);
        Sum(a10, a11, a12, a13).Store(y + stride);
        Sum(a20, a21, a22, a23).Store(y + 2L * stride);
        if (k == n)
            return;
        Finish(w0, w1, w2, w3, x, y, k, n);
        Finish(w0, w1, w2, w3, x1, y + stride, k, n);
        Finish(w0, w1, w2, w3, x2, y + 2L * stride, k, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByTwo<TRow>(in CpuMatrix w, int r, float* x, int step, float* y, int stride)
        where TRow : struct, IWeightRow<TRow>
    {
        Vector256<float> a00 = default, a01 = default, a02 = default, a03 = default, a10 = default, a11 = default, a12 = default, a13 = default;
        TRow w0 = TRow.Of(w, r), w1 = TRow.Of(w, r + 1), w2 = TRow.Of(w, r + 2), w3 = TRow.Of(w, r + 3);
        int n = w.Inputs, k = 0;
        var x1 = x + step;
        for (; k + Lanes <= n; k += Lanes)
        {
            Vector256<float> u0 = Vector256.Load(x + k), u1 = Vector256.Load(x1 + k), v = w0.Load(k);
            a00 = Vector256.FusedMultiplyAdd(v, u0, a00);
            a10 = Vector256.FusedMultiplyAdd(v, u1, a10);
            v = w1.Load(k);
            a01 = Vector256.FusedMultiplyAdd(v, u0, a01);
            a11 = Vector256.FusedMultiplyAdd(v, u1, a11);
            v = w2.Load(k);
            a02 = Vector256.FusedMultiplyAdd(v, u0, a02);
            a12 = Vector256.FusedMultiplyAdd(v, u1, a12);
            v = w3.Load(k);
            a03 = Vector256.FusedMultiplyAdd(v, u0, a03);
            a13 = Vector256.FusedMultiplyAdd(v, u1, a13);
        }
        Sum(a00, a01, a02, a03).Store(y);
        Sum(a10, a11, a12, a13).Store(y + stride);
        if (k == n)
            return;
        Finish(w0, w1, w2, w3, x, y, k, n);
        Finish(w0, w1, w2, w3, x1, y + stride, k, n);
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
        Sum(a0, a1, a2, a3).Store(y);
        if (k < n)
            Finish(w0, w1, w2, w3, x, y, k, n);
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

    private static void Finish<TRow>(TRow w0, TRow w1, TRow w2, TRow w3, float* x, float* y, int k, int n)
        where TRow : struct, IWeightRow<TRow>
    {
        y[0] = Finish(y[0], w0, x, k, n);
        y[1] = Finish(y[1], w1, x, k, n);
        y[2] = Finish(y[2], w2, x, k, n);
        y[3] = Finish(y[3], w3, x, k, n);
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
    internal static Vector128<float> Sum(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
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
