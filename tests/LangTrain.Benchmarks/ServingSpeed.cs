using System.Diagnostics;
using System.Globalization;
using LangTrain.Inference;
using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Benchmarks;

/// <summary>
/// The engine as it is served (submission, sampling, channels and all) beside llama.cpp on the same random weights, in alternating rounds of one run;
/// medians and their ratios.
/// </summary>
internal sealed class ServingSpeed
{
    private const int Rows = 8, Prompt = 16, AdapterRank = 16;

    private static readonly ModelLoadOptions Served = new() { MapWeights = true };

    private readonly string _shape;
    private readonly string _folder;
    private readonly int _rounds;
    private readonly int _threads;
    private readonly LlamaPeer? _peer;
    private readonly Dictionary<string, List<double>> _measured = [];
    private readonly Random _random = new(1);

    private ServingSpeed(string[] args)
    {
        string? Option(string name) => Array.IndexOf(args, name) is >= 0 and var i && i + 1 < args.Length ? args[i + 1] : null;
        int Number(string name, int otherwise) => Option(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
        _shape = args.ElementAtOrDefault(0) ?? "15m";
        _rounds = Number("--rounds", 5);
        _threads = Number("--threads", 2);
        _folder = Option("--folder") ?? Path.Combine(Path.GetTempPath(), "langtrain-serving-speed");
        Only = Option("--only")?.Split(',');
        if (Option("--llama") is { } prefix)
            _peer = new LlamaPeer(prefix.Split(' ', StringSplitOptions.RemoveEmptyEntries), Option("--llama-folder") ?? _folder, _threads);
    }

    private string[]? Only { get; }

    public static async Task<int> RunAsync(string[] args)
    {
        var run = new ServingSpeed(args);
        await run.MeasureAsync();
        run.Print();
        return 0;
    }

    private async Task MeasureAsync()
    {
        TorchSetup.Initialize(_threads);
        var config = _shape switch
        {
            "15m" => ModelConfig.ForLlama(32000, 288, 6, 6, 6, 768, 1024),
            "110m" => ModelConfig.ForLlama(32000, 768, 12, 12, 12, 2048, 1024),
            _ => throw new ArgumentException($"Unknown shape {_shape}; 15m or 110m."),
        };
        var weights = Path.Combine(_folder, _shape);
        if (!File.Exists(Path.Combine(weights, "model.safetensors")))
        {
            Directory.CreateDirectory(_folder);
            using var made = DecoderModel.Create(config, seed: 1);
            made.Save(weights);
            foreach (var type in new[] { GgufType.F32, GgufType.Q8_0 })
                GgufExporter.Export(made, Path.Combine(_folder, FileOf(type)), type, tokenizerFolder: null);
        }

        using var model = DecoderModel.Load(weights, Served);
        using var narrow = DecoderModel.Load(weights, Served with { Quantization = Quantization.Int8 });
        using var half = DecoderModel.Load(weights, Served with { Dtype = ScalarType.BFloat16 });
        var adapters = Enumerable.Range(0, Rows).Select(i => LoraAdapter.Create(
            model, new LoraOptions { Rank = AdapterRank, Alpha = 2 * AdapterRank, TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj"] }, i)).ToList();
        adapters.ForEach(a => a.SetTrainable(false));
        var options = new EngineOptions { MaxRows = Rows, CacheBytes = 256 << 20 };
        await using (var engine = new GenerationEngine(model, options))
        await using (var narrowEngine = new GenerationEngine(narrow, options))
        await using (var halfEngine = new GenerationEngine(half, options))
        await using (var halfPrompts = new GenerationEngine(half, options with { BFloat16Prompts = true }))
        {
            for (var round = -1; round < _rounds; round++) // The first warms up and does not count.
            {
                await AddAsync(round, "decode 1 row", () => DecodeAsync(engine, 1, 128), p => p.Decode(FileOf(GgufType.F32), 128));
                await AddAsync(round, "decode 8 rows", () => DecodeAsync(engine, Rows, 64), p => p.DecodeRows(FileOf(GgufType.F32), Rows, Prompt, 64));
                await AddAsync(round, "decode 8 rows, 8 adapters", () => DecodeAsync(engine, Rows, 64, adapters), null);
                await AddAsync(round, "prefill 512", () => PrefillAsync(engine, 512), p => p.Prefill(FileOf(GgufType.F32), 512));
                await AddAsync(round, "bfloat16 decode 1 row", () => DecodeAsync(halfEngine, 1, 128), null);
                if (ProcessorFeatures.HasBFloat16Products) // Emulated elsewhere, which says nothing.
                    await AddAsync(round, "bfloat16 prefill 512", () => PrefillAsync(halfPrompts, 512), p => p.Prefill(FileOf(GgufType.F32), 512));
                await AddAsync(round, "int8 decode 1 row", () => DecodeAsync(narrowEngine, 1, 128), p => p.Decode(FileOf(GgufType.Q8_0), 128));
                await AddAsync(round, "int8 decode 8 rows", () => DecodeAsync(narrowEngine, Rows, 64), p => p.DecodeRows(FileOf(GgufType.Q8_0), Rows, Prompt, 64));
                await AddAsync(round, "int8 prefill 512", () => PrefillAsync(narrowEngine, 512), p => p.Prefill(FileOf(GgufType.Q8_0), 512));
                await AddAsync(round, "load, 1/s", async () => 1 / await LoadAsync(weights), p => 1 / p.Load(FileOf(GgufType.F32)));
            }
        }
        adapters.ForEach(a => a.Dispose());
    }

    private string FileOf(GgufType type) => $"{_shape}-{type}.gguf";

    private async Task AddAsync(int round, string what, Func<Task<double>> ours, Func<LlamaPeer, double>? theirs)
    {
        if (Only is not null && !Only.Any(o => what.Contains(o, StringComparison.Ordinal)))
            return;
        var (mine, other) = (await ours(), _peer is null || theirs is null ? 0 : theirs(_peer));
        if (round < 0)
            return;
        Series(what).Add(mine);
        if (other > 0)
            Series(what + " llama.cpp").Add(other);
    }

    private List<double> Series(string name) => _measured.TryGetValue(name, out var list) ? list : _measured[name] = [];

    private void Print()
    {
        double Median(string name)
        {
            var sorted = _measured[name].Order().ToList();
            return sorted[sorted.Count / 2];
        }

        foreach (var name in _measured.Keys.Where(k => !k.EndsWith(" llama.cpp", StringComparison.Ordinal)))
        {
            var peer = _measured.ContainsKey(name + " llama.cpp") ? Median(name + " llama.cpp") : 0;
            Console.WriteLine(FormattableString.Invariant(
                $"{_shape} {name}: {Median(name):f1} tokens/s (of {_measured[name].Count}; {_measured[name].Min():f1} to {_measured[name].Max():f1})") +
                (peer > 0 ? FormattableString.Invariant($", llama.cpp {peer:f1}, ratio {Median(name) / peer:f2}") : ""));
        }
        const string Adapted = "decode 8 rows, 8 adapters", Plain = "decode 8 rows";
        const string One = "decode 1 row";
        foreach (var kind in new[] { "int8 ", "bfloat16 " })
        {
            if (_measured.ContainsKey(kind + One) && _measured.ContainsKey(One))
                Console.WriteLine(FormattableString.Invariant($"{_shape} {kind}/ float32, 1 row: {Median(kind + One) / Median(One):f2}"));
        }
        if (_measured.ContainsKey(Adapted) && _measured.ContainsKey(Plain))
            Console.WriteLine(FormattableString.Invariant($"{_shape} 8 adapters / base: {Median(Adapted) / Median(Plain):f2}"));
    }

    // From the moment that all rows have their first token to the last token of all.
    private async Task<double> DecodeAsync(GenerationEngine engine, int rows, int tokens, List<LoraAdapter>? adapters = null)
    {
        var streams = engine.Submit([.. Enumerable.Range(0, rows).Select(i => new GenerationRequest
        {
            PromptTokens = RandomPrompt(engine, Prompt),
            MaxNewTokens = tokens + 1,
            Sampling = SamplingOptions.Greedy,
            Adapter = adapters?[i],
        })]);
        long started = 0, began = 0;
        var counts = await Task.WhenAll(streams.Select(async stream =>
        {
            var count = 0;
            await foreach (var _ in stream.ReadAllAsync())
            {
                if (count++ == 0 && Interlocked.Increment(ref started) == rows)
                    began = Stopwatch.GetTimestamp();
            }
            return count - 1;
        }));
        return counts.Sum() / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private async Task<double> PrefillAsync(GenerationEngine engine, int tokens)
    {
        var prompt = RandomPrompt(engine, tokens);
        var start = Stopwatch.GetTimestamp();
        await foreach (var _ in engine.Submit(new GenerationRequest { PromptTokens = prompt, MaxNewTokens = 1, Sampling = SamplingOptions.Greedy }).ReadAllAsync())
        {
        }
        return tokens / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    // To the first token, as llama.cpp's: pages of a mapped file are read by then.
    private async Task<double> LoadAsync(string folder)
    {
        var start = Stopwatch.GetTimestamp();
        using var model = DecoderModel.Load(folder, Served);
        await using var engine = new GenerationEngine(model, new EngineOptions { MaxRows = 1 });
        await PrefillAsync(engine, 1);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private int[] RandomPrompt(GenerationEngine engine, int tokens) => [.. Enumerable.Range(0, tokens).Select(_ => _random.Next(engine.VocabularySize))];
}
