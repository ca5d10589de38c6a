using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LangTrain.Inference.Cpu;

/// <summary>
/// The arithmetic of a decoder on spans of float32, eight lanes at a time. Each result is made of its own inputs in one fixed order, whatever else
/// is computed beside it: a row's numbers are the same to the last bit alone and in any batch, in one chunk and in many.
/// </summary>
/// <remarks>Pointers, because libtorch owns the weights; every caller's sizes are fixed when the model is taken up.</remarks>
internal static unsafe class CpuKernels
{
    private const int Lanes = 8;

    /// <summary>y[b, r] = x[b] · w[r] for rows r from <paramref name="first"/> to before <paramref name="end"/>.</summary>
    /// <param name="w">[rows, n], the weight.</param>
    /// <param name="x">[batch, n].</param>
    /// <param name="y">[batch, stride]; written at [b, r].</param>
    /// <param name="batch">Vectors in <paramref name="x"/>.</param>
    /// <param name="n">Length of each.</param>
    /// <param name="stride">Floats between two results of one r.</param>
    /// <param name="first">First row.</param>
    /// <param name="end">Row after the last.</param>
    public static void Multiply(float* w, float* x, float* y, int batch, int n, int stride, int first, int end)
    {
        // Four rows of the weight stay in the first-level cache while all of the batch passes over them; the weight is read from memory once.
        var r = first;
        for (; r + 4 <= end; r += 4)
        {
            var b = 0;
            for (; b + 4 <= batch; b += 4)
                FourByFour(w + (long)r * n, x + (long)b * n, y + (long)b * stride + r, n, stride);
            for (; b < batch; b++)
                FourByOne(w + (long)r * n, x + (long)b * n, y + (long)b * stride + r, n);
        }
        for (; r < end; r++)
        {
            for (var b = 0; b < batch; b++)
                y[(long)b * stride + r] = Dot(w + (long)r * n, x + (long)b * n, n);
        }
    }

    /// <summary>a · b, in the same order of additions as <see cref="Multiply"/>.</summary>
    public static float Dot(float* a, float* b, int n)
    {
        var sum = Vector256<float>.Zero;
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
            sum = Vector256.FusedMultiplyAdd(Vector256.Load(a + k), Vector256.Load(b + k), sum);
        return Finish(sum, a, b, k, n);
    }

    /// <summary>y += factor · x.</summary>
    public static void AddScaled(float* y, float* x, float factor, int n)
    {
        var factors = Vector256.Create(factor);
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
            Vector256.FusedMultiplyAdd(Vector256.Load(x + k), factors, Vector256.Load(y + k)).Store(y + k);
        for (; k < n; k++)
            y[k] = MathF.FusedMultiplyAdd(x[k], factor, y[k]);
    }

    /// <summary>y = x / rms(x) · weight (arXiv:1910.07467).</summary>
    public static void RmsNorm(float* x, float* weight, float* y, int n, float epsilon)
    {
        var scale = 1f / MathF.Sqrt(Dot(x, x, n) / n + epsilon);
        var scales = Vector256.Create(scale);
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
            (Vector256.Load(x + k) * scales * Vector256.Load(weight + k)).Store(y + k);
        for (; k < n; k++)
            y[k] = x[k] * scale * weight[k];
    }

    /// <summary>gate = silu(gate) · up.</summary>
    public static void SiluTimes(float* gate, float* up, int n)
    {
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
        {
            var g = Vector256.Load(gate + k);
            (g / (Vector256<float>.One + Vector256.Exp(-g)) * Vector256.Load(up + k)).Store(gate + k);
        }
        for (; k < n; k++)
            gate[k] = gate[k] / (1f + MathF.Exp(-gate[k])) * up[k];
    }

    /// <summary>Turns a head by its position (arXiv:2104.09864, section 3.4): pairs (i, i + half).</summary>
    /// <param name="head">[D].</param>
    /// <param name="cos">[half] of the position.</param>
    /// <param name="sin">[half] of the position.</param>
    /// <param name="half">Half the dimensions that are turned.</param>
    public static void Rotate(float* head, float* cos, float* sin, int half)
    {
        for (var i = 0; i < half; i++)
        {
            var (a, b) = (head[i], head[i + half]);
            head[i] = a * cos[i] - b * sin[i];
            head[i + half] = b * cos[i] + a * sin[i];
        }
    }

    /// <summary>One query over the keys and values of its sequence.</summary>
    /// <param name="query">[D].</param>
    /// <param name="keys">Key of the first token; the next is <paramref name="stride"/> floats on.</param>
    /// <param name="values">Values, alike.</param>
    /// <param name="result">[D].</param>
    /// <param name="scores">Scratch, [tokens].</param>
    /// <param name="tokens">S.</param>
    /// <param name="size">D.</param>
    /// <param name="stride">Floats from one token to the next.</param>
    /// <param name="scale">Factor on q · k.</param>
    public static void Attend(float* query, float* keys, float* values, float* result, float* scores, int tokens, int size, int stride, float scale)
    {
        var max = float.NegativeInfinity;
        for (var t = 0; t < tokens; t++)
        {
            scores[t] = Dot(query, keys + (long)t * stride, size) * scale;
            max = MathF.Max(max, scores[t]);
        }
        var total = 0f;
        var k = 0;
        var (maxes, sums) = (Vector256.Create(max), Vector256<float>.Zero);
        for (; k + Lanes <= tokens; k += Lanes)
        {
            var weight = Vector256.Exp(Vector256.Load(scores + k) - maxes);
            weight.Store(scores + k);
            sums += weight;
        }
        for (; k < tokens; k++)
            total += scores[k] = MathF.Exp(scores[k] - max);
        total += Vector256.Sum(sums);
        new Span<float>(result, size).Clear();
        for (var t = 0; t < tokens; t++)
            AddScaled(result, values + (long)t * stride, scores[t] / total, size);
    }

    private static void FourByFour(float* w, float* x, float* y, int n, int stride)
    {
        Vector256<float> a00 = default, a01 = default, a02 = default, a03 = default, a10 = default, a11 = default, a12 = default, a13 = default;
        Vector256<float> a20 = default, a21 = default, a22 = default, a23 = default, a30 = default, a31 = default, a32 = default, a33 = default;
        float* w1 = w + n, w2 = w1 + n, w3 = w2 + n, x1 = x + n, x2 = x1 + n, x3 = x2 + n;
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
        {
            Vector256<float> v0 = Vector256.Load(w + k), v1 = Vector256.Load(w1 + k), v2 = Vector256.Load(w2 + k), v3 = Vector256.Load(w3 + k);
            var u = Vector256.Load(x + k);
            a00 = Vector256.FusedMultiplyAdd(v0, u, a00);
            a01 = Vector256.FusedMultiplyAdd(v1, u, a01);
            a02 = Vector256.FusedMultiplyAdd(v2, u, a02);
            a03 = Vector256.FusedMultiplyAdd(v3, u, a03);
            u = Vector256.Load(x1 + k);
            a10 = Vector256.FusedMultiplyAdd(v0, u, a10);
            a11 = Vector256.FusedMultiplyAdd(v1, u, a11);
            a12 = Vector256.FusedMultiplyAdd(v2, u, a12);
            a13 = Vector256.FusedMultiplyAdd(v3, u, a13);
            u = Vector256.Load(x2 + k);
            a20 = Vector256.FusedMultiplyAdd(v0, u, a20);
            a21 = Vector256.FusedMultiplyAdd(v1, u, a21);
            a22 = Vector256.FusedMultiplyAdd(v2, u, a22);
            a23 = Vector256.FusedMultiplyAdd(v3, u, a23);
            u = Vector256.Load(x3 + k);
            a30 = Vector256.FusedMultiplyAdd(v0, u, a30);
            a31 = Vector256.FusedMultiplyAdd(v1, u, a31);
            a32 = Vector256.FusedMultiplyAdd(v2, u, a32);
            a33 = Vector256.FusedMultiplyAdd(v3, u, a33);
        }
        Store(a00, a01, a02, a03, w, x, y, k, n);
        Store(a10, a11, a12, a13, w, x1, y + stride, k, n);
        Store(a20, a21, a22, a23, w, x2, y + 2L * stride, k, n);
        Store(a30, a31, a32, a33, w, x3, y + 3L * stride, k, n);
    }

    private static void FourByOne(float* w, float* x, float* y, int n)
    {
        Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default;
        float* w1 = w + n, w2 = w1 + n, w3 = w2 + n;
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
        {
            var u = Vector256.Load(x + k);
            a0 = Vector256.FusedMultiplyAdd(Vector256.Load(w + k), u, a0);
            a1 = Vector256.FusedMultiplyAdd(Vector256.Load(w1 + k), u, a1);
            a2 = Vector256.FusedMultiplyAdd(Vector256.Load(w2 + k), u, a2);
            a3 = Vector256.FusedMultiplyAdd(Vector256.Load(w3 + k), u, a3);
        }
        Store(a0, a1, a2, a3, w, x, y, k, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> a0, Vector256<float> a1, Vector256<float> a2, Vector256<float> a3, float* w, float* x, float* y, int k, int n)
    {
        y[0] = Finish(a0, w, x, k, n);
        y[1] = Finish(a1, w + n, x, k, n);
        y[2] = Finish(a2, w + 2L * n, x, k, n);
        y[3] = Finish(a3, w + 3L * n, x, k, n);
    }

    // The lanes' sum, then what is left behind the last whole vector.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Finish(Vector256<float> sum, float* a, float* b, int k, int n)
    {
        var total = Vector256.Sum(sum);
        for (; k < n; k++)
            total = MathF.FusedMultiplyAdd(a[k], b[k], total);
        return total;
    }
}
