using System.Diagnostics;
using System.Globalization;
using LangTrain.Modeling;
using LangTrain.Training;
using LangTrain.Training.Batches;
using LangTrain.Training.Optimization;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Benchmarks;

/// <summary>Times whole training steps of Llama shapes on random tokens: batch, forward, loss, backward, clipping, update.</summary>
internal static class TrainingSpeed
{
    private const int WarmupSteps = 3;

    public static int Run(string[] args)
    {
        var shape = args.ElementAtOrDefault(0) ?? "15m";
        var method = Enum.Parse<TrainingMethod>(args.ElementAtOrDefault(1) ?? "lora", ignoreCase: true);
        var steps = int.Parse(args.ElementAtOrDefault(2) ?? "20", CultureInfo.InvariantCulture);
        var (config, rows, length) = shape switch
        {
            "15m" => (ModelConfig.ForLlama(32000, 288, 6, 6, 6, 768, 256), 4, 256),
            "1m" => (ModelConfig.ForLlama(2048, 128, 5, 4, 4, 384, 256), 16, 256),
            "demo" => (ModelConfig.ForLlama(2048, 128, 5, 4, 4, 384, 256), 8, 48),
            "110m" => (ModelConfig.ForLlama(32000, 768, 12, 12, 12, 2048, 256), 2, 256),
            _ => throw new ArgumentException($"Unknown shape {shape}."),
        };
        TorchSetup.Initialize(int.Parse(args.ElementAtOrDefault(3) ?? "2", CultureInfo.InvariantCulture));

        var folder = Directory.CreateTempSubdirectory("training-speed").FullName;
        try
        {
            using (var model = DecoderModel.Create(config, seed: 1))
            {
                model.Save(folder);
            }

            var files = new TrainingFiles { BaseModelFolder = folder, BaseModelName = shape, TrainingFile = "", CheckpointFolder = "", OutputFolder = "" };
            var options = new TrainingOptions { Method = method, Lora = new LoraOptions { Rank = 16, Alpha = 32, TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj"] } };
            using var trainee = method == TrainingMethod.Full ? FullRecipe.Prepare(files) : LoraRecipe.Prepare(options, files);
            using var optimizer = new AdamW(trainee.Parameters, new(0.9, 0.999, 1e-8, 0.01));
            using var dropout = new Generator(1);
            var random = new SeededRandom(1);
            var examples = new InMemoryExamples([.. Enumerable.Range(0, rows).Select(_ => new TokenizedExample(
                [.. Enumerable.Range(0, length).Select(_ => random.Next(config.VocabularySize))], [.. Enumerable.Repeat(true, length)]))]);
            int[][] plan = [.. Enumerable.Range(0, rows).Select(i => new[] { i })];

            var seconds = new List<double>();
            for (var step = 0; step < WarmupSteps + steps; step++)
            {
                var start = Stopwatch.GetTimestamp();
                using var scope = NewDisposeScope();
                var batch = MicroBatch.Build(plan, examples, trainee.Model.Device);
                var loss = trainee.Accumulate(batch, 1.0 / batch.TrainedTokens, dropout).item<double>() / batch.TrainedTokens;
                var norm = (double)GradientClip.Norm(trainee.Parameters).item<float>();
                GradientClip.Clip(trainee.Parameters, norm, 1.0);
                optimizer.Step(1e-4);
                optimizer.ClearGradients();
                if (step >= WarmupSteps)
                {
                    seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                }

                if (step == WarmupSteps + steps - 1)
                {
                    seconds.Sort();
                    var median = seconds[seconds.Count / 2];
                    Console.WriteLine(FormattableString.Invariant(
                        $"{shape} {method}: {rows * length / median:f0} tokens/s (median of {steps} steps, {median * 1000:f1} ms; best {rows * length / seconds[0]:f0}); loss {loss:f4}; {Environment.WorkingSet >> 20} MB"));
                }
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
