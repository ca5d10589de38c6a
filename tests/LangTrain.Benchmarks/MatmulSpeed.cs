using System.Diagnostics;
using System.Globalization;
using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Benchmarks;

/// <summary>The ways to multiply by a weight, forward and backward, in GFLOP a second of wall time and of processor time (which a busy machine distorts less).</summary>
internal static class MatmulSpeed
{
    private const int Rounds = 12;

    private static readonly (int Rows, int Inputs, int Outputs)[] s_shapes =
    [
        (1024, 288, 288), (1024, 288, 768), (1024, 768, 288), (1024, 288, 16), (256, 288, 32000), (512, 768, 16), (512, 768, 768), (512, 768, 2048), (512, 2048, 768), (128, 768, 32000),
    ];

    /// <param name="wanted">Shapes such as <c>512x768x2048</c>: rows, inputs, outputs. Empty for those of training.</param>
    public static int Run(string[] wanted)
    {
        TorchSetup.Initialize(threads: 2);
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (rows, inputs, outputs) in wanted.Length == 0 ? s_shapes : wanted.Select(Parse))
        {
            var x = randn(rows, inputs);
            var y = randn(rows, outputs);
            var weight = randn(outputs, inputs);
            using var quantized = Nf4.Quantize(weight, ScalarType.Float32);
            using var packed = WeightProduct.Pack(weight, rows);
            Console.WriteLine($"[{rows}, {inputs}] x [{outputs}, {inputs}]");
            Race(
                2.0 * rows * inputs * outputs,
                ("forward, libtorch", () => nn.functional.linear(x, weight)),
                (rows > 16 ? "forward, oneDNN" : "forward, few rows", () => WeightProduct.Forward(x, weight)),
                ("forward, NF4", () => quantized.Multiply(x, bias: null)),
                ("forward, oneDNN packed", () => packed is null ? nn.functional.linear(x, weight) : WeightProduct.ForwardPacked(x, packed)),
                ("forward, 16-bit integers", () => WeightProduct.Forward(x, weight, int16: true)),
                ("input's gradient, libtorch", () => y.matmul(weight)),
                ("input's gradient, oneDNN", () => WeightProduct.Backward(y, weight)),
                ("input's gradient, 16-bit integers", () => WeightProduct.Backward(y, weight, int16: true)),
                ("weight's gradient, libtorch", () => y.t().matmul(x)));
        }

        return 0;
    }

    private static (int Rows, int Inputs, int Outputs) Parse(string text) =>
        text.Split('x') is [var rows, var inputs, var outputs]
            ? (int.Parse(rows, CultureInfo.InvariantCulture), int.Parse(inputs, CultureInfo.InvariantCulture), int.Parse(outputs, CultureInfo.InvariantCulture))
            : throw new ArgumentException($"{text} is no shape: rows x inputs x outputs.");

    // They take turns: whoever else is busy on the machine for a while holds up all alike.
    private static void Race(double flops, params (string Name, Func<Tensor> Action)[] contestants)
    {
        var best = contestants.Select(_ => double.MaxValue).ToArray();
        var processor = new double[contestants.Length];
        for (var round = -1; round < Rounds; round++) // the first warms up
        {
            for (var i = 0; i < contestants.Length; i++)
            {
                var cpu = Environment.CpuUsage.TotalTime;
                var start = Stopwatch.GetTimestamp();
                contestants[i].Action().Dispose();
                var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                if (round >= 0)
                {
                    best[i] = Math.Min(best[i], seconds);
                    processor[i] += (Environment.CpuUsage.TotalTime - cpu).TotalSeconds / Rounds;
                }
            }
        }

        for (var i = 0; i < contestants.Length; i++)
        {
            Console.WriteLine(FormattableString.Invariant($"  {contestants[i].Name,-34} {flops / best[i] / 1e9,6:f0} best, {flops / processor[i] / 1e9,6:f0} a processor second"));
        }
    }
}
