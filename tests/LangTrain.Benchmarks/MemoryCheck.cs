using System.Diagnostics;
using System.Globalization;
using LangTrain.Modeling;
using LangTrain.Training;
using LangTrain.Training.Batches;
using LangTrain.Training.Evaluation;
using LangTrain.Training.Optimization;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Benchmarks;

/// <summary>Holds the estimate of memory against the peak of real training steps, each case in a process of its own (Linux).</summary>
internal static class MemoryCheck
{
    private const int Steps = 8;

    private static readonly Dictionary<string, ModelConfig> Shapes = new()
    {
        ["15m"] = ModelConfig.ForLlama(32_000, 288, 6, 6, 6, 768, 1024),
        ["110m"] = ModelConfig.ForLlama(32_000, 768, 12, 12, 12, 2048, 1024),
        // Two narrow layers under a vocabulary of 128k: the full logits of 4,096 positions would take 2.1 GB, their gradient as much.
        ["128k"] = ModelConfig.ForLlama(128_256, 256, 2, 4, 4, 512, 1024),
        // Autograd records the one, and writes the other's capped attention out.
        ["gpt2"] = ModelConfig.Parse("""{"model_type":"gpt2","n_embd":384,"n_layer":8,"n_head":6,"vocab_size":50257,"n_positions":1024}"""),
        ["gemma2"] = ModelConfig.Parse("""
            {"model_type":"gemma2","vocab_size":32000,"hidden_size":384,"intermediate_size":1536,"num_hidden_layers":8,"num_attention_heads":6,"num_key_value_heads":2,"head_dim":128,
            "query_pre_attn_scalar":128,"sliding_window":256,"max_position_embeddings":1024,"hidden_activation":"gelu_pytorch_tanh"}
            """),
    };

    private static readonly string[][] Cases =
    [
        ["15m", "lora", "4", "256", "false"], ["15m", "qlora", "4", "256", "false"], ["15m", "full", "4", "256", "false"],
        ["15m", "lora", "8", "512", "false"], ["15m", "lora", "8", "512", "true"], ["15m", "full", "16", "256", "true"],
        ["110m", "lora", "2", "256", "false"], ["110m", "qlora", "2", "256", "false"], ["110m", "full", "2", "256", "false"],
        ["110m", "lora", "4", "1024", "false"], ["110m", "qlora", "4", "1024", "true"], ["110m", "full", "4", "512", "true"],
        ["128k", "lora", "4", "1024", "false"], ["128k", "full", "4", "1024", "false"],
        ["gpt2", "lora", "4", "256", "false"], ["gpt2", "full", "4", "512", "false"], ["gemma2", "lora", "4", "256", "false"], ["gemma2", "full", "4", "512", "false"],
    ];

    public static int Run(string[] wanted)
    {
        var folder = Directory.CreateTempSubdirectory("memory-check").FullName;
        try
        {
            Console.WriteLine("shape  method  rows x tokens  activation_checkpointing  measured MB  estimated MB  ratio  step ms  estimated ms");
            foreach (var one in Cases.Where(c => wanted.Length == 0 || wanted.Contains(c[0])))
            {
                var model = Path.Combine(folder, one[0]);
                using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["memory-case", model, .. one]))!;
                child.WaitForExit();
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>One case; the first of a shape makes the model's files in yet another process, so that this one's peak is that of training.</summary>
    public static int RunCase(string folder, string[] of)
    {
        TorchSetup.Initialize(threads: 2);
        var config = Shapes[of[0]];
        if (of.Length == 1)
        {
            using var made = DecoderModel.Create(config, seed: 1);
            made.Save(folder);
            return 0;
        }

        if (!Directory.Exists(folder))
        {
            using var maker = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["memory-case", folder, of[0]]))!;
            maker.WaitForExit();
        }

        var (rows, length) = (int.Parse(of[2], CultureInfo.InvariantCulture), int.Parse(of[3], CultureInfo.InvariantCulture));
        var options = new TrainingOptions
        {
            Method = Enum.Parse<TrainingMethod>(of[1], ignoreCase: true), ActivationCheckpointing = bool.Parse(of[4]),
            Lora = new LoraOptions { Rank = 16, Alpha = 32, TargetModules = config.ModelType == "gpt2" ? ["c_attn", "c_proj"] : ["q_proj", "k_proj", "v_proj", "o_proj"] },
        };
        var files = new TrainingFiles { BaseModelFolder = folder, BaseModelName = of[0], TrainingFile = "", CheckpointFolder = "", OutputFolder = "" };
        using var trainee = options.Method == TrainingMethod.Full ? FullRecipe.Prepare(options, files) : LoraRecipe.Prepare(options, files);
        trainee.KeepsInputsOnly = options.ActivationCheckpointing;
        using var optimizer = new AdamW(trainee.Parameters, new(0.9, 0.999, 1e-8, 0.01));
        using var dropout = new Generator(1);
        var random = new SeededRandom(1);
        var examples = new InMemoryExamples([.. Enumerable.Range(0, rows).Select(_ => new TokenizedExample(
            [.. Enumerable.Range(0, length).Select(_ => random.Next(config.VocabularySize))], [.. Enumerable.Repeat(true, length)]))]);
        int[][] plan = [.. Enumerable.Range(0, rows).Select(i => new[] { i })];
        // The peak counts from here: pages of the model's mapped files, which the system takes back when it wants, are no need.
        File.WriteAllText("/proc/self/clear_refs", "5");
        var seconds = new List<double>();
        for (var step = 0; step < Steps; step++)
        {
            var start = Stopwatch.GetTimestamp();
            using var scope = NewDisposeScope();
            var batch = MicroBatch.Build(plan, examples, trainee.Model.Device);
            trainee.Accumulate(batch, 1.0 / batch.TrainedTokens, dropout);
            GradientClip.Clip(trainee.Parameters, GradientClip.Norm(trainee.Parameters).item<float>(), 1.0);
            optimizer.Step(1e-4);
            optimizer.ClearGradients();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        var measured = PeakBytes();
        seconds.Sort();
        var memory = new TrainingMemory(options, config, EstimateCalculator.Weights(folder));
        var estimated = memory.Peak(rows, length, rows * (length - 1));
        var (step50, estimatedStep) = (seconds[Steps / 2] * 1000, EstimateCalculator.Seconds(memory, config, rows * length, 1) * 1000);
        Console.WriteLine(FormattableString.Invariant(
            $"{of[0],-6} {of[1],-6} {rows,4} x {length,-6} {of[4],-6} {measured >> 20,8} {estimated >> 20,8}   {(double)estimated / measured:f2}   {step50,8:f0} {estimatedStep,8:f0}"));
        return 0;
    }

    private static long PeakBytes()
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
