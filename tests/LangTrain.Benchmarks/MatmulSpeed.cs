using System.Diagnostics;
using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Benchmarks;

/// <summary>The ways to multiply by a weight, forward and backward, in GFLOP a second of wall time and of processor time (which a busy machine distorts less).</summary>
internal static class MatmulSpeed
{
    private static readonly (int Rows, int Inputs, int Outputs)[] s_shapes =
    [
        (1024, 288, 288), (1024, 288, 768), (1024, 768, 288), (1024, 288, 16), (256, 288, 32000), (512, 768, 768), (512, 768, 2048), (512, 2048, 768), (256, 768, 32000), (64, 768, 32000),
    ];

    public static int Run()
    {
        TorchSetup.Initialize(threads: 2);
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (rows, inputs, outputs) in s_shapes)
        {
            var x = randn(rows, inputs);
            var y = randn(rows, outputs);
            var weight = randn(outputs, inputs);
            var transposed = weight.t().contiguous();
            Console.WriteLine($"[{rows}, {inputs}] x [{outputs}, {inputs}]");
            var flops = 2.0 * rows * inputs * outputs;
            Time("forward, libtorch", flops, () => nn.functional.linear(x, weight));
            Time("forward, oneDNN", flops, () => WeightProduct.Forward(x, weight));
            using var packed = WeightProduct.Pack(weight, rows);
            Time("forward, oneDNN packed", flops, () => WeightProduct.Forward(x, packed));
            Time("input's gradient, libtorch", flops, () => y.matmul(weight));
            Time("input's gradient, oneDNN", flops, () => WeightProduct.Backward(y, weight));
            using var packedBack = WeightProduct.Pack(transposed, rows);
            Time("input's gradient, oneDNN packed", flops, () => WeightProduct.Forward(y, packedBack));
            Time("weight's gradient, libtorch", flops, () => y.t().matmul(x));
        }

        return 0;
    }

    private static void Time(string name, double flops, Func<Tensor> action)
    {
        try
        {
            using var scope = NewDisposeScope();
            action();
            var best = double.MaxValue;
            var cpu = Environment.CpuUsage.TotalTime;
            const int Repetitions = 12;
            for (var i = 0; i < Repetitions; i++)
            {
                var start = Stopwatch.GetTimestamp();
                action().Dispose();
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            var processor = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds / Repetitions;
            Console.WriteLine(FormattableString.Invariant($"  {name,-32} {flops / best / 1e9,6:f0} best, {flops / processor / 1e9,6:f0} a processor second"));
        }
        catch (InvalidOperationException error)
        {
            Console.WriteLine($"  {name,-32} {error.Message}");
        }
    }
}
