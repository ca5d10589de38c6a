using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using LangTrain.Modeling;

namespace LangTrain.Inference.Cpu;

/// <summary>
/// Products of a weight of 8-bit integers with vectors of 16-bit ones: sums of a group are whole numbers and exact, and only a group's sum is
/// multiplied, by both scales. As in <see cref="CpuProduct"/>, each y[b, r] is made in one fixed order, whatever is computed beside it.
/// </summary>
/// <remarks>
/// With 16 bits a vector's element is off by 1/65534 of its group's largest, a hundredth of what the weights' 8 bits cost, and the processor adds
/// up 16 products in one instruction; turning each weight into a float was measured at half the speed. A group's sum per lane is at most
/// 8 · 127 · 32767 and fits 32 bits.
/// </remarks>
internal static unsafe class CpuInt8Product
{
    private const int Group = Int8Weight.GroupSize, Lanes = 8, Step = 16, MaxCode = short.MaxValue;

    /// <summary>A group below this is zeros: one over it is no float32 any more.</summary>
    private const float Smallest = 1e-30f;

    /// <summary>Bytes of vectors that rows pass over at a time, to stay in the second-level cache.</summary>
    private const int NearBytes = 192 << 10;

    /// <summary>Groups of a row; the last may be short.</summary>
    public static int Groups(int inputs) => (inputs + Group - 1) / Group;

    /// <summary>Turns a vector into integers, the largest of a group ±32767; zeros behind the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Encode(float* x, short* codes, float* scales, int inputs)
    {
        for (int start = 0, group = 0; start < inputs; start += Group, group++)
        {
            int n = Math.Min(Group, inputs - start), k = 0;
            float* from = x + start;
            var to = codes + start;
            var largest = Vector256<float>.Zero;
            for (; k + Lanes <= n; k += Lanes)
                largest = Vector256.MaxNative(largest, Vector256.Abs(Vector256.Load(from + k)));
            var max = 0f;
            for (var i = 0; i < Lanes; i++)
                max = MathF.Max(max, largest[i]);
            for (; k < n; k++)
                max = MathF.Max(max, MathF.Abs(from[k]));
            scales[group] = max / MaxCode;
            var inverse = max > Smallest ? MaxCode / max : 0f;
            k = 0;
            for (; k + Step <= n; k += Step)
            {
                var lower = Vector256.ConvertToInt32Native(Vector256.Round(Vector256.Load(from + k) * inverse));
                var upper = Vector256.ConvertToInt32Native(Vector256.Round(Vector256.Load(from + k + Lanes) * inverse));
                Vector256.Narrow(lower, upper).Store(to + k);
            }
            for (; k < n; k++)
                to[k] = (short)MathF.Round(from[k] * inverse);
            for (; k < Group; k++)
                to[k] = 0;
        }
    }

    /// <param name="w">The weight.</param>
    /// <param name="x">Vectors whose integers are written.</param>
    /// <param name="y">[batch, stride]; written at [b, r].</param>
    /// <param name="batch">Vectors.</param>
    /// <param name="stride">Floats between two results of one r.</param>
    /// <param name="first">First row.</param>
    /// <param name="end">Row after the last.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in CpuMatrix w, in CpuVectors x, float* y, int batch, int stride, int first, int end)
    {
        int groups = Groups(w.Inputs), width = groups * Group;
        var near = Math.Max(3, NearBytes / (width * sizeof(short)) / 3 * 3);
        for (var start = 0; start < batch; start += near)
        {
            var stop = Math.Min(start + near, batch);
            var r = first;
            for (; r + 4 <= end; r += 4)
            {
                var b = start;
                for (; b + 3 <= stop; b += 3)
                {
                    TwoByThree(w, r, x.Codes + (long)b * width, x.Scales + (long)b * groups, y + (long)b * stride + r, stride);
                    TwoByThree(w, r + 2, x.Codes + (long)b * width, x.Scales + (long)b * groups, y + (long)b * stride + r + 2, stride);
                }
                for (; b < stop; b++)
                    FourByOne(w, r, x.Codes + (long)b * width, x.Scales + (long)b * groups, y + (long)b * stride + r);
            }
            for (; r < end; r++)
            {
                for (var b = start; b < stop; b++)
                    y[(long)b * stride + r] = OneByOne(w, r, x.Codes + (long)b * width, x.Scales + (long)b * groups);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoByThree(in CpuMatrix w, int r, short* x, float* scales, float* y, int stride)
    {
        int n = w.Inputs, groups = Groups(n), width = groups * Group;
        sbyte* w0 = (sbyte*)w.Data + (long)r * n, w1 = w0 + n;
        float* s0 = w.Scales + (long)r * groups, s1 = s0 + groups, t1 = scales + groups, t2 = t1 + groups;
        short* x1 = x + width, x2 = x1 + width;
        Vector256<float> a00 = default, a01 = default, a10 = default, a11 = default, a20 = default, a21 = default;
        for (var g = 0; g < groups; g++)
        {
            int k = g * Group, whole = k + Math.Min(Group, (n - k) & -Step);
            Vector256<int> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
            for (; k < whole; k += Step)
            {
                Vector256<short> v0 = Widen(w0 + k), v1 = Widen(w1 + k), u = Vector256.Load(x + k);
                c00 += Products(v0, u);
                c01 += Products(v1, u);
                u = Vector256.Load(x1 + k);
                c10 += Products(v0, u);
                c11 += Products(v1, u);
                u = Vector256.Load(x2 + k);
                c20 += Products(v0, u);
                c21 += Products(v1, u);
            }
            if (k < n && g == groups - 1)
            {
                c00 = Finish(c00, w0, x, k, n);
                c01 = Finish(c01, w1, x, k, n);
                c10 = Finish(c10, w0, x1, k, n);
                c11 = Finish(c11, w1, x1, k, n);
                c20 = Finish(c20, w0, x2, k, n);
                c21 = Finish(c21, w1, x2, k, n);
            }
            a00 = Add(a00, c00, s0[g] * scales[g]);
            a01 = Add(a01, c01, s1[g] * scales[g]);
            a10 = Add(a10, c10, s0[g] * t1[g]);
            a11 = Add(a11, c11, s1[g] * t1[g]);
            a20 = Add(a20, c20, s0[g] * t2[g]);
            a21 = Add(a21, c21, s1[g] * t2[g]);
        }
        Vector128<float> low = CpuProduct.Sum(a00, a01, a10, a11), high = CpuProduct.Sum(a20, a21, default, default);
        low.GetLower().Store(y);
        low.GetUpper().Store(y + stride);
        high.GetLower().Store(y + 2L * stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByOne(in CpuMatrix w, int r, short* x, float* scales, float* y)
    {
        int n = w.Inputs, groups = Groups(n);
        sbyte* w0 = (sbyte*)w.Data + (long)r * n, w1 = w0 + n, w2 = w1 + n, w3 = w2 + n;
        float* s0 = w.Scales + (long)r * groups, s1 = s0 + groups, s2 = s1 + groups, s3 = s2 + groups;
        Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default;
        for (var g = 0; g < groups; g++)
        {
            int k = g * Group, whole = k + Math.Min(Group, (n - k) & -Step);
            Vector256<int> c0 = default, c1 = default, c2 = default, c3 = default;
            for (; k < whole; k += Step)
            {
                var u = Vector256.Load(x + k);
                c0 += Products(Widen(w0 + k), u);
                c1 += Products(Widen(w1 + k), u);
                c2 += Products(Widen(w2 + k), u);
                c3 += Products(Widen(w3 + k), u);
            }
            if (k < n && g == groups - 1)
            {
                c0 = Finish(c0, w0, x, k, n);
                c1 = Finish(c1, w1, x, k, n);
                c2 = Finish(c2, w2, x, k, n);
                c3 = Finish(c3, w3, x, k, n);
            }
            a0 = Add(a0, c0, s0[g] * scales[g]);
            a1 = Add(a1, c1, s1[g] * scales[g]);
            a2 = Add(a2, c2, s2[g] * scales[g]);
            a3 = Add(a3, c3, s3[g] * scales[g]);
        }
        CpuProduct.Sum(a0, a1, a2, a3).Store(y);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float OneByOne(in CpuMatrix w, int r, short* x, float* scales)
    {
        int n = w.Inputs, groups = Groups(n);
        var row = (sbyte*)w.Data + (long)r * n;
        var own = w.Scales + (long)r * groups;
        var sum = Vector256<float>.Zero;
        for (var g = 0; g < groups; g++)
        {
            int k = g * Group, whole = k + Math.Min(Group, (n - k) & -Step);
            var codes = Vector256<int>.Zero;
            for (; k < whole; k += Step)
                codes += Products(Widen(row + k), Vector256.Load(x + k));
            if (k < n && g == groups - 1)
                codes = Finish(codes, row, x, k, n);
            sum = Add(sum, codes, own[g] * scales[g]);
        }
        return CpuProduct.Sum(sum, default, default, default)[0];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add(Vector256<float> sum, Vector256<int> codes, float scale) =>
        Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(codes), Vector256.Create(scale), sum);

    // What is left of a row behind its last 16, into the first lane.
    private static Vector256<int> Finish(Vector256<int> sum, sbyte* w, short* x, int k, int n)
    {
        var rest = 0;
        for (; k < n; k++)
            rest += w[k] * x[k];
        return sum + Vector256.CreateScalar(rest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Widen(sbyte* codes)
    {
        if (Avx2.IsSupported)
            return Avx2.ConvertToVector256Int16(codes);
        var (lower, upper) = Vector128.Widen(Vector128.Load(codes));
        return Vector256.Create(lower, upper);
    }

    // Products of 16 pairs, two of them added up to a lane; which two does not matter to a sum of integers, but to a machine always the same.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Products(Vector256<short> a, Vector256<short> b)
    {
        if (Avx2.IsSupported)
            return Avx2.MultiplyAddAdjacent(a, b);
        var (a0, a1) = Vector256.Widen(a);
        var (b0, b1) = Vector256.Widen(b);
        return a0 * b0 + a1 * b1;
    }
}
