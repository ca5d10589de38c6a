using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using LangTrain.Modeling;
using LangTrain.Training;
using LangTrain.Training.Batches;

namespace LangTrain.Benchmarks;

/// <summary>
/// Training steps of Llama shapes, tokens a second, beside plain PyTorch (<c>Peers/torch_training.py</c>), Hugging Face's transformers and PEFT
/// (<c>--peers torch,peft</c>, the last one compared with), or both: the contestants take turns in one run, start from the same weights and see the same
/// tokens. Prints medians, ratios, peak memory and how far the losses are apart.
/// </summary>
internal static class TrainingSpeed
{
    private const int StepsPerTurn = 5, WarmupSteps = 2, BatchCount = 8;

    public static int Run(string[] args)
    {
        var name = args.ElementAtOrDefault(0) ?? "15m";
        string[] contestants = (args.ElementAtOrDefault(1) ?? "lora").Split(',');
        var steps = int.Parse(Option("--steps") ?? "20", CultureInfo.InvariantCulture);
        var threads = Option("--threads") ?? "2";
        var python = Option("--python") ?? Environment.GetEnvironmentVariable("LANGTRAIN_BENCHMARK_PYTHON");
        var shape = TrainingShape.Of(name);
        if (python is not null && contestants.Select(IsFull).Distinct().Count() > 1)
        {
            throw new ArgumentException("The peers train what the first contestant trains: compare full fine-tuning and adapters in runs of their own.");
        }

        TorchSetup.Initialize();

        // A peer behind chroot or a container sees the folder only where the reader can say which one it is.
        var folder = Option("--folder") is { } given ? Directory.CreateDirectory(given).FullName : Directory.CreateTempSubdirectory("training-speed").FullName;
        var (model, adapter, tokens) = (Path.Combine(folder, "model"), Path.Combine(folder, "adapter"), Path.Combine(folder, "tokens.bin"));
        WriteInputs(shape, model, adapter, tokens);
        List<Contestant> running = [];
        try
        {
            foreach (var contestant in contestants)
            {
                string[] own = ["training-side", contestant, model, adapter, tokens];
                running.Add(Contestant.Start(contestant, Environment.ProcessPath!, [.. own, $"{shape.Rows}", $"{shape.Length}", threads]));
            }

            if (python is not null)
            {
                string[] command = python.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                var method = IsFull(contestants[0]) ? "full" : adapter;
                foreach (var script in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Peers"), "*.py"))
                {
                    File.Copy(script, Path.Combine(folder, Path.GetFileName(script)), overwrite: true);
                }

                foreach (var peer in (Option("--peers") ?? "torch").Split(','))
                {
                    var (title, file) = peer switch
                    {
                        "torch" => ("PyTorch", "torch_training.py"),
                        "peft" => ("PEFT", "peft_training.py"),
                        _ => throw new ArgumentException($"Unknown peer {peer}; there are torch and peft."),
                    };
                    running.Add(Contestant.Start(title, command[0], [.. command[1..], Path.Combine(folder, file), model, method, tokens, $"{shape.Rows}", $"{shape.Length}", threads]));
                }
            }

            for (var done = 0; done < steps; done += StepsPerTurn)
            {
                running.ForEach(contestant => contestant.Train(Math.Min(StepsPerTurn, steps - done)));
            }

            running.ForEach(contestant => contestant.Finish());
            Print(name, shape, running);
            return 0;
        }
        finally
        {
            running.ForEach(contestant => contestant.Dispose());
            Directory.Delete(folder, recursive: true);
        }

        static bool IsFull(string contestant) => contestant.StartsWith("full", StringComparison.Ordinal);

        string? Option(string option) => Array.IndexOf(args, option) is >= 0 and var at ? args[at + 1] : null;
    }

    /// <param name="contestant">A method, with <c>-bf16</c> behind it for bf16 products.</param>
    public static TrainingOptions Options(string contestant) => new()
    {
        Method = Enum.Parse<TrainingMethod>(contestant.Split('-')[0], ignoreCase: true),
        ComputeDtype = contestant.EndsWith("-bf16", StringComparison.Ordinal) ? ComputeDtype.BFloat16 : ComputeDtype.Float32,
        Lora = new LoraOptions { Rank = 16, Alpha = 32, TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj"] },
    };

    private static void WriteInputs(TrainingShape shape, string model, string adapter, string tokens)
    {
        using (var made = DecoderModel.Create(shape.Config, seed: 1))
        {
            made.Save(model);
            using var lora = LoraAdapter.Create(made, Options("lora").Lora, seed: 2);
            lora.SavePeft(adapter, "benchmark");
        }

        var random = new SeededRandom(1);
        int[] ids = [.. Enumerable.Range(0, BatchCount * shape.Rows * shape.Length).Select(_ => random.Next(shape.Config.VocabularySize))];
        File.WriteAllBytes(tokens, MemoryMarshal.AsBytes(ids.AsSpan()).ToArray());
    }

    private static void Print(string name, TrainingShape shape, List<Contestant> contestants)
    {
        var last = contestants[^1];
        Console.WriteLine($"{name}, {shape.Rows} x {shape.Length} tokens a step, {last.Losses.Count} steps; compared with {last.Name} ({last.Version})");
        foreach (var one in contestants)
        {
            var apart = one.Losses.Zip(last.Losses, (a, b) => Math.Abs(a - b) / b).Max();
            Console.WriteLine(FormattableString.Invariant(
                $"{one.Name,-12} {shape.Rows * shape.Length / one.Median,8:f0} tokens/s  {last.Median / one.Median,5:f2} x (best steps {last.Best / one.Best:f2} x, processor time {last.ProcessorSeconds / one.ProcessorSeconds:f2} x)  {one.Median * 1000,7:f1} ms  peak {one.PeakBytes >> 20,5} MB  last loss {one.Losses[^1]:f6}, largest relative difference {apart:e1}{one.Remark}"));
        }
    }

    /// <summary>A process that trains when told to.</summary>
    private sealed class Contestant : IDisposable
    {
        private readonly Process _process;
        private readonly List<double> _seconds = [];
        private double _processorSeconds;
        private long _leaked;

        private Contestant(string name, Process process) => (Name, _process) = (name, process);

        public string Name { get; }

        public List<double> Losses { get; } = [];

        public long PeakBytes { get; private set; }

        public string Version { get; private set; } = "";

        public string Remark => _leaked == 0 ? "" : $"; {_leaked} tensors leaked";

        public double Median => _seconds.Skip(WarmupSteps).Order().ElementAt((_seconds.Count - WarmupSteps) / 2);

        public double Best => _seconds.Min();

        /// <summary>Of all threads, a step; a busy machine distorts it less than time on the clock.</summary>
        public double ProcessorSeconds => _processorSeconds / _seconds.Count;

        public static Contestant Start(string name, string program, string[] arguments)
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };

            // Both sides sleep soon where a thread waits for another, as TorchSetup has it: spinning on costs the one whose turn it is not nothing, and the other its core.
            start.Environment.TryAdd("OMP_WAIT_POLICY", "PASSIVE");
            start.Environment.TryAdd("GOMP_SPINCOUNT", "5000");
            return new Contestant(name, Process.Start(start)!);
        }

        public void Train(int steps)
        {
            var answer = Ask(steps);
            _seconds.AddRange(answer["seconds"]!.AsArray().Select(value => value!.GetValue<double>()));
            Losses.AddRange(answer["losses"]!.AsArray().Select(value => value!.GetValue<double>()));
            _processorSeconds += answer["processor_seconds"]!.GetValue<double>();
            _leaked += answer["leaked"]?.GetValue<long>() ?? 0;
        }

        public void Finish()
        {
            var answer = Ask(0);
            (PeakBytes, Version) = (answer["peak_bytes"]!.GetValue<long>(), answer["version"]!.GetValue<string>());
            _process.WaitForExit();
        }

        public void Dispose()
        {
            if (!_process.HasExited)
            {
                _process.Kill(entireProcessTree: true);
            }

            _process.Dispose();
        }

        private JsonNode Ask(int steps)
        {
            _process.StandardInput.WriteLine($$"""{"steps": {{steps}}}""");
            _process.StandardInput.Flush();
            var line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{Name} ended early; its words are above.");
            return JsonNode.Parse(line)!;
        }
    }
}
