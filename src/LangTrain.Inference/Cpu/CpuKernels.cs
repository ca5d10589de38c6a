using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using LangTrain.Modeling;

namespace LangTrain.Inference.Cpu;

/// <summary>The arithmetic between a decoder's products on spans of float32, each result in one fixed order like <see cref="CpuProduct"/>'s.</summary>
/// <remarks>Pointers, because libtorch owns the weights; every caller's sizes are fixed when the model is taken up.</remarks>
internal static unsafe class CpuKernels
{
    private const int Lanes = 8;

    /// <summary>y += factor · x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(float* y, float* x, float factor, int n)
    {
        var factors = Vector256.Create(factor);
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
            Vector256.FusedMultiplyAdd(Vector256.Load(x + k), factors, Vector256.Load(y + k)).Store(y + k);
        for (; k < n; k++)
            y[k] = MathF.FusedMultiplyAdd(x[k], factor, y[k]);
    }

    /// <summary>x = factor · x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float* x, float factor, int n)
    {
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
            (Vector256.Load(x + k) * factor).Store(x + k);
        for (; k < n; k++)
            x[k] *= factor;
    }

    /// <summary>y[k] += Σ factors[j] · rows[j, k]: some columns of a short stack of rows, added up by row and then to y.</summary>
    /// <param name="y">[n].</param>
    /// <param name="rows">First of the columns in the first row.</param>
    /// <param name="stride">Floats from one row to the next.</param>
    /// <param name="factors">[count].</param>
    /// <param name="count">Rows.</param>
    /// <param name="n">Columns.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRows(float* y, float* rows, long stride, float* factors, int count, int n)
    {
        var k = 0;
        for (; k + 4 * Lanes <= n; k += 4 * Lanes)
        {
            Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default;
            var row = rows + k;
            for (var j = 0; j < count; j++, row += stride)
            {
                var factor = Vector256.Create(factors[j]);
                a0 = Vector256.FusedMultiplyAdd(Vector256.Load(row), factor, a0);
                a1 = Vector256.FusedMultiplyAdd(Vector256.Load(row + Lanes), factor, a1);
                a2 = Vector256.FusedMultiplyAdd(Vector256.Load(row + 2 * Lanes), factor, a2);
                a3 = Vector256.FusedMultiplyAdd(Vector256.Load(row + 3 * Lanes), factor, a3);
            }
            (Vector256.Load(y + k) + a0).Store(y + k);
            (Vector256.Load(y + k + Lanes) + a1).Store(y + k + Lanes);
            (Vector256.Load(y + k + 2 * Lanes) + a2).Store(y + k + 2 * Lanes);
            (Vector256.Load(y + k + 3 * Lanes) + a3).Store(y + k + 3 * Lanes);
        }
        for (; k + Lanes <= n; k += Lanes)
        {
            var sum = Vector256<float>.Zero;
            for (var j = 0; j < count; j++)
                sum = Vector256.FusedMultiplyAdd(Vector256.Load(rows + j * stride + k), Vector256.Create(factors[j]), sum);
            (Vector256.Load(y + k) + sum).Store(y + k);
        }
        for (; k < n; k++)
        {
            var sum = 0f;
            for (var j = 0; j < count; j++)
                sum = MathF.FusedMultiplyAdd(rows[j * stride + k], factors[j], sum);
            y[k] += sum;
        }
    }

    /// <summary><see cref="AddRows"/> for three vectors and their factors at once, each sum made as it makes it.</summary>
    /// <param name="y">[3, step], n of each.</param>
    /// <param name="step">Floats from one vector to the next.</param>
    /// <param name="rows">[count, n].</param>
    /// <param name="factors">[3, factorStep], count of each.</param>
    /// <param name="factorStep">Floats from one vector's factors to the next.</param>
    /// <param name="count">Rows.</param>
    /// <param name="n">Columns, a multiple of 8.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRowsToThree(float* y, long step, float* rows, float* factors, long factorStep, int count, int n)
    {
        float* y1 = y + step, y2 = y1 + step, f1 = factors + factorStep, f2 = f1 + factorStep;
        var k = 0;
        for (; k + 3 * Lanes <= n; k += 3 * Lanes)
        {
            Vector256<float> a00 = default, a01 = default, a02 = default, a10 = default, a11 = default, a12 = default;
            Vector256<float> a20 = default, a21 = default, a22 = default;
            var row = rows + k;
            for (var j = 0; j < count; j++, row += n)
            {
                Vector256<float> v0 = Vector256.Load(row), v1 = Vector256.Load(row + Lanes), v2 = Vector256.Load(row + 2 * Lanes);
                var factor = Vector256.Create(factors[j]);
                a00 = Vector256.FusedMultiplyAdd(v0, factor, a00);
                a01 = Vector256.FusedMultiplyAdd(v1, factor, a01);
                a02 = Vector256.FusedMultiplyAdd(v2, factor, a02);
                factor = Vector256.Create(f1[j]);
                a10 = Vector256.FusedMultiplyAdd(v0, factor, a10);
                a11 = Vector256.FusedMultiplyAdd(v1, factor, a11);
                a12 = Vector256.FusedMultiplyAdd(v2, factor, a12);
                factor = Vector256.Create(f2[j]);
                a20 = Vector256.FusedMultiplyAdd(v0, factor, a20);
                a21 = Vector256.FusedMultiplyAdd(v1, factor, a21);
                a22 = Vector256.FusedMultiplyAdd(v2, factor, a22);
            }
            AddThree(y + k, a00, a01, a02);
            AddThree(y1 + k, a10, a11, a12);
            AddThree(y2 + k, a20, a21, a22);
        }
        for (; k + Lanes <= n; k += Lanes)
        {
            Vector256<float> a0 = default, a1 = default, a2 = default;
            var row = rows + k;
            for (var j = 0; j < count; j++, row += n)
            {
                var v = Vector256.Load(row);
                a0 = Vector256.FusedMultiplyAdd(v, Vector256.Create(factors[j]), a0);
                a1 = Vector256.FusedMultiplyAdd(v, Vector256.Create(f1[j]), a1);
                a2 = Vector256.FusedMultiplyAdd(v, Vector256.Create(f2[j]), a2);
            }
            (Vector256.Load(y + k) + a0).Store(y + k);
            (Vector256.Load(y1 + k) + a1).Store(y1 + k);
            (Vector256.Load(y2 + k) + a2).Store(y2 + k);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddThree(float* y, Vector256<float> a, Vector256<float> b, Vector256<float> c)
    {
        (Vector256.Load(y) + a).Store(y);
        (Vector256.Load(y + Lanes) + b).Store(y + Lanes);
        (Vector256.Load(y + 2 * Lanes) + c).Store(y + 2 * Lanes);
    }

    /// <summary>x = x · factors, lane by lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* x, float* factors, int n)
    {
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
            (Vector256.Load(x + k) * Vector256.Load(factors + k)).Store(x + k);
        for (; k < n; k++)
            x[k] *= factors[k];
    }

    /// <summary>y = x / rms(x) · weight (arXiv:1910.07467).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RmsNorm(float* x, float* weight, float* y, int n, float epsilon)
    {
        var scale = 1f / MathF.Sqrt(CpuProduct.Dot(x, x, n) / n + epsilon);
        var scales = Vector256.Create(scale);
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
            (Vector256.Load(x + k) * scales * Vector256.Load(weight + k)).Store(y + k);
        for (; k < n; k++)
            y[k] = x[k] * scale * weight[k];
    }

    /// <summary>y = (x - mean) / deviation · weight + bias (arXiv:1607.06450).</summary>
    public static void LayerNorm(float* x, float* weight, float* bias, float* y, int n, float epsilon)
    {
        double sum = 0, squares = 0;
        for (var k = 0; k < n; k++)
            sum += x[k];
        var mean = sum / n;
        for (var k = 0; k < n; k++)
            squares += (x[k] - mean) * (x[k] - mean);
        var scale = 1 / Math.Sqrt(squares / n + epsilon);
        for (var k = 0; k < n; k++)
            y[k] = MathF.FusedMultiplyAdd((float)((x[k] - mean) * scale), weight[k], bias[k]);
    }

    /// <summary>gate = activation(gate) · up; without the factor where <paramref name="up"/> is null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Activate(Activation activation, float* gate, float* up, int n)
    {
        var k = 0;
        for (; k + Lanes <= n; k += Lanes)
        {
            var g = Activate(activation, Vector256.Load(gate + k));
            (up == null ? g : g * Vector256.Load(up + k)).Store(gate + k);
        }
        for (; k < n; k++)
            gate[k] = Activate(activation, Vector256.Create(gate[k]))[0] * (up == null ? 1f : up[k]);
    }

    /// <summary>x = cap · tanh(x / cap).</summary>
    public static void SoftCap(float* x, float cap, int n)
    {
        for (var k = 0; k < n; k++)
            x[k] = cap * MathF.Tanh(x[k] / cap);
    }

    /// <summary>Turns a head by its position (arXiv:2104.09864, section 3.4): pairs (i, i + half).</summary>
    /// <param name="head">[D].</param>
    /// <param name="cos">[half] of the position.</param>
    /// <param name="sin">[half] of the position.</param>
    /// <param name="half">Half the dimensions that are turned.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rotate(float* head, float* cos, float* sin, int half)
    {
        for (var i = 0; i < half; i++)
        {
            var (a, b) = (head[i], head[i + half]);
            head[i] = a * cos[i] - b * sin[i];
            head[i + half] = b * cos[i] + a * sin[i];
        }
    }

    /// <summary>Scores to weights before division: x = exp(x - max).</summary>
    /// <returns>Their sum.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Exponentials(float* x, int n)
    {
        var (max, k) = (float.NegativeInfinity, 0);
        var maxes = Vector256.Create(max);
        for (; k + Lanes <= n; k += Lanes)
            maxes = Vector256.Max(maxes, Vector256.Load(x + k));
        for (var lane = 0; lane < Lanes; lane++)
            max = MathF.Max(max, maxes[lane]);
        for (; k < n; k++)
            max = MathF.Max(max, x[k]);
        (maxes, k) = (Vector256.Create(max), 0);
        var sums = Vector256<float>.Zero;
        for (; k + Lanes <= n; k += Lanes)
        {
            var weight = Vector256.Exp(Vector256.Load(x + k) - maxes);
            weight.Store(x + k);
            sums += weight;
        }
        var total = 0f;
        for (; k < n; k++)
            total += x[k] = MathF.Exp(x[k] - max);
        return total + Vector256.Sum(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Activate(Activation activation, Vector256<float> x)
    {
        if (activation == Activation.Silu)
            return x / (Vector256<float>.One + Vector256.Exp(-x));
        if (activation == Activation.Relu)
            return Vector256.Max(x, Vector256<float>.Zero);
        // Gelu's tanh form: x/2 · (1 + tanh u) = x / (1 + exp(-2u)), u = √(2/π) · (x + 0.044715 x³).
        var twice = x * (Vector256.Create(1.5957691216057308f) + x * x * 0.0713548162726009f);
        return x / (Vector256<float>.One + Vector256.Exp(-twice));
    }
}
