using System.Diagnostics;
using System.Globalization;
using LangTrain.Modeling;
using LangTrain.Training;
using LangTrain.Training.Batches;
using LangTrain.Training.Estimation;
using LangTrain.Training.Optimization;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Benchmarks;

/// <summary>Holds the estimate of memory against the peak of real training steps, each case in a process of its own (Linux).</summary>
internal static class MemoryCheck
{
    private const int Steps = 4;

    private static readonly Dictionary<string, ModelConfig> Shapes = new()
    {
        ["15m"] = ModelConfig.ForLlama(32_000, 288, 6, 6, 6, 768, 2048),
        ["15m-one-key-head"] = ModelConfig.ForLlama(32_000, 288, 6, 6, 1, 768, 2048),
        ["110m"] = ModelConfig.ForLlama(32_000, 768, 12, 12, 12, 2048, 1024),
        // As large as Llama 3.2 1B; 5 GB of files.
        ["1b"] = ModelConfig.ForLlama(128_256, 2048, 16, 32, 8, 8192, 2048),
        // Beside PyTorch: training-speed 128k.
        ["128k"] = TrainingShape.Of("128k").Config,
        ["128k-untied"] = ModelConfig.ForLlama(128_256, 256, 2, 4, 4, 512, 1024, tieEmbeddings: false),
        // Autograd records the one, and writes the other's capped attention out.
        ["gpt2"] = ModelConfig.Parse("""{"model_type":"gpt2","n_embd":384,"n_layer":8,"n_head":6,"vocab_size":50257,"n_positions":1024}"""),
        ["gemma2"] = ModelConfig.Parse("""
            {"model_type":"gemma2","vocab_size":32000,"hidden_size":384,"intermediate_size":1536,"num_hidden_layers":8,"num_attention_heads":6,"num_key_value_heads":2,"head_dim":128,
            "query_pre_attn_scalar":128,"sliding_window":256,"max_position_embeddings":1024,"hidden_activation":"gelu_pytorch_tanh"}
            """),
    };

    // Shape, method, rows x tokens, and what is not as usual: see MemoryCase.
    private static readonly string[] Cases =
    [
        "15m lora 4x256", "15m qlora 4x256", "15m full 4x256", "15m lora 8x512", "15m lora 8x512 checkpointing", "15m full 16x256 checkpointing",
        "110m lora 2x256", "110m qlora 2x256", "110m full 2x256", "110m lora 4x1024", "110m qlora 4x1024 checkpointing", "110m full 4x512 checkpointing",
        "128k lora 4x1024", "128k full 4x1024", "128k-untied full 4x1024", "gpt2 lora 4x256", "gpt2 full 4x512", "gemma2 lora 4x256", "gemma2 full 4x512",
        "15m lora 16x128", "15m lora 2x2048", "15m-one-key-head lora 1x2048", "15m lora 4x1024 packed=8", "15m full 4x1024 packed=8",
        "15m lora 4x512 all r=4", "15m lora 4x512 all r=64", "15m lora 4x512 all r=256", "110m lora 2x512 all r=256", "110m qlora 4x256 all r=64",
        "15m lora 8x512 all dropout", "15m lora 8x512 all dropout checkpointing", "15m lora 4x512 dora", "15m lora 4x512 all dora dropout", "15m lora 8x512 dora checkpointing",
        "15m lora 8x512 dpo", "15m full 8x256 dpo", "15m full 4x256 accumulate=4", "110m full 2x512 accumulate=2", "gpt2 lora 4x256 dropout",
        "15m lora 8x512 bf16", "110m lora 2x256 bf16", "110m lora 4x1024 bf16", "110m qlora 4x512 bf16", "110m full 2x256 bf16", "gpt2 lora 4x512 bf16", "gemma2 lora 4x256 bf16", "128k lora 4x1024 bf16",
    ];

    /// <param name="wanted">Shapes, whose cases are run, or cases of the caller's own; empty for all cases.</param>
    public static int Run(string[] wanted)
    {
        var folder = Directory.CreateTempSubdirectory("memory-check").FullName;
        try
        {
            Console.WriteLine("measured MB  estimated MB  ratio  step ms  estimated ms  case");
            string[] own = [.. wanted.Where(w => w.Contains(' ', StringComparison.Ordinal))];
            foreach (var one in own.Concat(Cases.Where(c => wanted.Length == 0 || wanted.Contains(c.Split(' ')[0]))))
            {
                var shape = one.Split(' ')[0];
                var model = Path.Combine(folder, shape);
                if (!Directory.Exists(model))
                {
                    // In a process of its own too, so that the case's peak is that of training.
                    Start("memory-model", model, shape);
                }

                Start("memory-case", model, one);
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Makes a shape's files.</summary>
    public static int WriteModel(string folder, string shape)
    {
        using var made = DecoderModel.Create(Shapes[shape], seed: 1);
        made.Save(folder);
        return 0;
    }

    /// <summary>One case.</summary>
    public static int RunCase(string folder, string text)
    {
        TorchSetup.Initialize(threads: 2);
        var of = MemoryCase.Parse(text);
        var (config, options) = (Shapes[of.Shape], of.Options(Shapes[of.Shape]));
        var files = new TrainingFiles { BaseModelFolder = folder, BaseModelName = of.Shape, TrainingFile = "", CheckpointFolder = "", OutputFolder = "" };
        using var trainee = options.Method == TrainingMethod.Full ? FullRecipe.Prepare(options, files) : LoraRecipe.Prepare(options, files);
        trainee.ActivationCheckpointing = options.ActivationCheckpointing;
        using var optimizer = new AdamW(trainee.Parameters, new(0.9, 0.999, 1e-8, 0.01));
        using var dropout = new Generator(1);
        var random = new SeededRandom(1);
        var length = of.Length / of.ExamplesPerRow;
        var examples = new InMemoryExamples([.. Enumerable.Range(0, of.Rows * of.ExamplesPerRow).Select(_ => new TokenizedExample(
            [.. Enumerable.Range(0, length).Select(_ => random.Next(config.VocabularySize))], [.. Enumerable.Repeat(true, length)]))]);
        int[][] plan = [.. Enumerable.Range(0, examples.Count).Chunk(of.ExamplesPerRow)];
        // The peak counts from here: pages of the model's mapped files, which the system takes back when it wants, are no need.
        File.WriteAllText("/proc/self/clear_refs", "5");
        var seconds = new List<double>();
        for (var step = 0; step < Steps; step++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var micro = 0; micro < options.GradientAccumulationSteps; micro++)
            {
                using var scope = NewDisposeScope();
                var batch = MicroBatch.Build(plan, examples, trainee.Model.Device);
                if (options.Objective == TrainingObjective.Dpo)
                {
                    trainee.AccumulatePreferences(batch, zeros([of.Rows], ScalarType.Float64), TrainingOptions.DefaultBeta, 1.0 / of.Rows, dropout);
                }
                else
                {
                    trainee.Accumulate(batch, 1.0 / batch.TrainedTokens, dropout);
                }
            }

            using (NewDisposeScope())
            {
                GradientClip.Clip(trainee.Parameters, GradientClip.Norm(trainee.Parameters).item<float>(), 1.0);
            }

            optimizer.Step(1e-4);
            optimizer.ClearGradients();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds / options.GradientAccumulationSteps);
        }

        var measured = PeakBytes();
        seconds.Sort();
        var memory = new TrainingMemory(options, config);
        var estimated = memory.Peak(of.Rows, of.Length, examples.Count * (length - 1));
        var speed = RunSpeed.Measure(options, config, memory, plan, examples);
        var (step50, estimatedStep) = (seconds[Steps / 2] * 1000, (speed.PassSeconds + speed.UpdateSeconds / options.GradientAccumulationSteps) * 1000);
        Console.WriteLine(FormattableString.Invariant(
            $"{measured >> 20,11} {estimated >> 20,13}   {(double)estimated / measured:f2}  {step50,7:f0} {estimatedStep,13:f0}  {text}"));
        return 0;
    }

    private static void Start(params string[] arguments)
    {
        using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments))!;
        child.WaitForExit();
    }

    private static long PeakBytes()
    {
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
