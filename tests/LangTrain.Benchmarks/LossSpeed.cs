using System.Diagnostics;
using LangTrain.Modeling;
using LangTrain.Training.Losses;
using static TorchSharp.torch;

namespace LangTrain.Benchmarks;

/// <summary>Times the head and its loss alone, beside the two matmuls that are the least it can take.</summary>
internal static class LossSpeed
{
    public static int Run()
    {
        TorchSetup.Initialize(threads: 2);
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        foreach (var (positions, width, vocabulary) in new[] { (1024, 288, 32000), (4096, 128, 2048) })
        {
            using var shapeScope = NewDisposeScope();
            var hidden = randn([positions, width], generator: generator);
            var head = randn([vocabulary, width], generator: generator).mul_(0.02);
            var targets = randint(0, vocabulary, [positions], dtype: ScalarType.Int64, generator: generator);
            var loss = Best(() => ChunkedCrossEntropy.Backward(hidden, head, targets, 1.0));
            var matmuls = Best(() => hidden.matmul(head.t()).matmul(head));
            Console.WriteLine(FormattableString.Invariant($"[{positions}, {width}] x [{vocabulary}, {width}]: loss and gradient {loss * 1000:f1} ms, its two matmuls {matmuls * 1000:f1} ms"));
        }

        return 0;
    }

    private static double Best(Action action)
    {
        var best = double.MaxValue;
        for (var i = 0; i < 12; i++)
        {
            using var scope = NewDisposeScope();
            var start = Stopwatch.GetTimestamp();
            action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }
}
