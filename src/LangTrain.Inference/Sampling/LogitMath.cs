using System.Numerics;
using System.Runtime.InteropServices;

namespace LangTrain.Inference.Sampling;

/// <summary>The few passes over a row of logits that sampling needs, each one vectorized sweep.</summary>
internal static class LogitMath
{
    /// <summary>The largest logit.</summary>
    /// <exception cref="NonFiniteLogitsException">A logit is NaN or +infinity, or every one is -infinity.</exception>
    public static float Max(ReadOnlySpan<float> logits)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var lanes = new Vector<float>(float.NegativeInfinity);
        foreach (var v in vectors)
            lanes = Vector.Max(lanes, v); // IEEE maximum: a NaN in any lane stays.
        var max = float.NegativeInfinity;
        for (var i = 0; i < Vector<float>.Count; i++)
            max = MathF.Max(max, lanes[i]);
        for (var i = vectors.Length * Vector<float>.Count; i < logits.Length; i++)
            max = MathF.Max(max, logits[i]);
        return float.IsFinite(max) ? max : throw new NonFiniteLogitsException();
    }

    /// <summary>Lowest id of those with the largest logit.</summary>
    public static int ArgMax(ReadOnlySpan<float> logits)
    {
        var max = Max(logits);
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var wanted = new Vector<float>(max);
        var i = 0;
        while (i < vectors.Length && !Vector.EqualsAny(vectors[i], wanted))
            i++;
        var at = i * Vector<float>.Count;
        while (logits[at] != max)
            at++;
        return at;
    }

    /// <summary>Writes exp((logit - max) / temperature) for each logit; the most likely token gets 1.</summary>
    public static void Weights(ReadOnlySpan<float> logits, float max, float temperature, Span<float> weights)
    {
        var inverse = 1f / temperature;
        var from = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var to = MemoryMarshal.Cast<float, Vector<float>>(weights);
        var (maxLanes, inverseLanes) = (new Vector<float>(max), new Vector<float>(inverse));
        for (var v = 0; v < from.Length; v++)
            to[v] = Vector.Exp((from[v] - maxLanes) * inverseLanes);
        for (var i = from.Length * Vector<float>.Count; i < logits.Length; i++)
            weights[i] = MathF.Exp((logits[i] - max) * inverse);
    }

    /// <summary>Sum in double of float lanes: 32 partial sums keep the rounding of 100,000 terms far below a float's last bit.</summary>
    public static double Sum(ReadOnlySpan<float> values)
    {
        double sum = 0;
        const int Block = 1024;
        for (var start = 0; start < values.Length; start += Block)
        {
            var block = values[start..Math.Min(start + Block, values.Length)];
            var vectors = MemoryMarshal.Cast<float, Vector<float>>(block);
            var lanes = Vector<float>.Zero;
            foreach (var v in vectors)
                lanes += v;
            sum += Vector.Sum(lanes);
            for (var i = vectors.Length * Vector<float>.Count; i < block.Length; i++)
                sum += block[i];
        }
        return sum;
    }

    /// <summary>Sum of the values that come before a token's in order: larger ones, and equal ones of a lower id.</summary>
    public static double SumBefore(ReadOnlySpan<float> values, int id) =>
        SumAbove(values[..id], MathF.BitDecrement(values[id])) + SumAbove(values[(id + 1)..], values[id]);

    private static double SumAbove(ReadOnlySpan<float> values, float bound)
    {
        double sum = 0;
        var boundLanes = new Vector<float>(bound);
        const int Block = 1024;
        for (var start = 0; start < values.Length; start += Block)
        {
            var block = values[start..Math.Min(start + Block, values.Length)];
            var vectors = MemoryMarshal.Cast<float, Vector<float>>(block);
            var lanes = Vector<float>.Zero;
            foreach (var v in vectors)
                lanes += Vector.ConditionalSelect(Vector.GreaterThan(v, boundLanes), v, Vector<float>.Zero);
            sum += Vector.Sum(lanes);
            for (var i = vectors.Length * Vector<float>.Count; i < block.Length; i++)
                sum += block[i] > bound ? block[i] : 0;
        }
        return sum;
    }

    /// <summary>log(sum(exp(logits))), natural logarithm; a token's log-probability is its logit less this.</summary>
    /// <param name="logits">One row of logits.</param>
    /// <param name="weights">Scratch of the same length; holds exp(logit - max) afterwards.</param>
    public static double LogSumExp(ReadOnlySpan<float> logits, Span<float> weights)
    {
        var max = Max(logits);
        Weights(logits, max, 1f, weights);
        return max + Math.Log(Sum(weights[..logits.Length]));
    }
}
