using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using LangTrain.Modeling;
using LangTrain.Training;
using LangTrain.Training.Batches;
using LangTrain.Training.Optimization;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Benchmarks;

/// <summary>
/// One contestant of <see cref="TrainingSpeed"/>, in a process of its own so that its peak memory is its own: whole steps of the real trainee (batch, forward,
/// loss, backward, clipping, update), as many as a line of standard input asks for. The peer script speaks the same lines.
/// </summary>
internal static class TrainingSide
{
    private const double LearningRate = 1e-4;

    /// <param name="args">Method as in <see cref="TrainingSpeed.Options"/>, model folder, adapter folder, tokens file, rows, length, threads.</param>
    public static int Run(string[] args)
    {
        var options = TrainingSpeed.Options(args[0]);
        var (rows, length) = (int.Parse(args[4], CultureInfo.InvariantCulture), int.Parse(args[5], CultureInfo.InvariantCulture));
        TorchSetup.Initialize(int.Parse(args[6], CultureInfo.InvariantCulture));
        var files = new TrainingFiles { BaseModelFolder = args[1], BaseModelName = "benchmark", TrainingFile = "", CheckpointFolder = "", OutputFolder = "" };
        using var trainee = options.Method == TrainingMethod.Full ? FullRecipe.Prepare(options, files) : LoraRecipe.Prepare(options, files);
        if (options.Method != TrainingMethod.Full)
        {
            trainee.Restore(args[2]);
        }

        using var optimizer = new AdamW(trainee.Parameters, new(options.AdamBeta1, options.AdamBeta2, options.AdamEpsilon, options.WeightDecay));
        using var dropout = new Generator(1);
        var ids = MemoryMarshal.Cast<byte, int>(File.ReadAllBytes(args[3])).ToArray();
        bool[] learned = [.. Enumerable.Repeat(true, length)];
        var examples = new InMemoryExamples([.. ids.Chunk(length).Select(row => new TokenizedExample(row, learned))]);

        var step = 0;
        while (Console.ReadLine() is { } line)
        {
            var steps = JsonNode.Parse(line)!["steps"]!.GetValue<int>();
            if (steps == 0)
            {
                using var process = Process.GetCurrentProcess();
                Console.WriteLine(JsonSerializer.Serialize(new { peak_bytes = process.PeakWorkingSet64, version = "LangTrain" }));
                return 0;
            }

            var (seconds, losses) = (new double[steps], new double[steps]);
            var liveBefore = 0L;
            var processor = Environment.CpuUsage.TotalTime;
            for (var i = 0; i < steps; i++, step++)
            {
                var start = Stopwatch.GetTimestamp();
                using (NewDisposeScope())
                {
                    int[][] plan = [.. Enumerable.Range(0, rows).Select(row => new[] { (step * rows + row) % examples.Count })];
                    var batch = MicroBatch.Build(plan, examples, trainee.Model.Device);
                    losses[i] = trainee.Accumulate(batch, 1.0 / batch.TrainedTokens, dropout).item<double>() / batch.TrainedTokens;
                    var norm = (double)GradientClip.Norm(trainee.Parameters).item<float>();
                    GradientClip.Clip(trainee.Parameters, norm, options.MaxGradientNorm);
                    optimizer.Step(LearningRate);
                    optimizer.ClearGradients();
                }

                seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
                liveBefore = i == 0 ? Tensor.TotalCount : liveBefore;
            }

            Console.WriteLine(JsonSerializer.Serialize(new { seconds, losses, leaked = Tensor.TotalCount - liveBefore, processor_seconds = (Environment.CpuUsage.TotalTime - processor).TotalSeconds }));
        }

        return 0;
    }
}
