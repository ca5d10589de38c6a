using LangTrain.Inference.Cpu;
using LangTrain.Inference.Engine;
using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Inference.Tests.Engine;

/// <summary>Our own kernels against libtorch's, and against themselves in other company.</summary>
[Collection(TensorCounts.Name)]
public sealed class CpuTokenModelTests
{
    [Theory]
    [InlineData("llama", "")]
    [InlineData("llama", "\"tie_word_embeddings\":true,\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,\"original_max_position_embeddings\":16},")]
    [InlineData("qwen2", "\"use_sliding_window\":false,")]
    [InlineData("qwen3", "\"use_sliding_window\":false,\"head_dim\":12,")]
    [InlineData("mistral", "\"sliding_window\":null,")]
    [InlineData("mistral", "\"sliding_window\":7,")]
    [InlineData("gemma2", "\"sliding_window\":6,\"head_dim\":8,\"hidden_activation\":\"gelu_pytorch_tanh\",")]
    [InlineData("gemma3_text", "\"sliding_window\":6,\"head_dim\":8,\"sliding_window_pattern\":2,\"hidden_activation\":\"gelu_pytorch_tanh\",")]
    [InlineData("phi3", "\"sliding_window\":9,\"partial_rotary_factor\":0.67,")]
    [InlineData("gpt2", "")]
    public void Logits_equal_libtorchs_for_every_family_with_and_without_adapters(string family, string more)
    {
        using var model = Create(family, more);
        using var lora = Some.Adapter(model, 3, 1, LoraOptions.AllLinear);
        using var other = Some.Adapter(model, 9, 2, family switch { "gpt2" => ["c_attn"], "phi3" => ["qkv_proj", "down_proj"], _ => ["q_proj", "down_proj"] });
        using var dora = Dora(model);
        Assert.True(CpuWeights.Supports(model));
        LoraAdapter?[] adapters = [null, lora, other, dora];
        var options = new EngineOptions { MaxRows = 4 };
        using var ours = new CpuTokenModel(model, options);
        using var torchs = new DecoderTokenModel(model, options);
        var rows = adapters.Select((adapter, i) => new Row([.. Enumerable.Range(1, 23 + 3 * i).Select(k => (k * 31 + i) % 90)], adapter, i)).ToList();
        // Prompts in chunks of different sizes, then one token each.
        foreach (var sizes in new[] { new[] { 5, 9, 1, 16 }, [17, 13, 27, 15], [1, 1, 1, 1] })
        {
            var step = rows.Select((row, i) => row.Feed(sizes[i], all: i == 1)).ToList();
            var (mine, theirs) = (new Collected(), new Collected());
            ours.Forward(step, mine);
            torchs.Forward(step, theirs);
            foreach (var (key, expected) in theirs.Logits)
            {
                var scale = expected.Max(MathF.Abs);
                var actual = mine.Logits[key];
                for (var v = 0; v < expected.Length; v++)
                    Assert.Equal(expected[v], actual[v], 2e-5f * scale);
            }
            Assert.Equal(theirs.Logits.Count, mine.Logits.Count);
        }
    }

    public static TheoryData<string> AdaptersOfPeft => [.. from folder in Directory.GetDirectories(Path.Combine(AppContext.BaseDirectory, "Reference"), "peft_*").Order()
        let name = Path.GetFileName(folder)["peft_".Length..] where !name.Contains("phi3", StringComparison.Ordinal) select name];

    /// <summary>Ranks, strengths and targets of every kind; beside a row without adapter. Expected logits: LangTrain.Modeling.Tests/Reference/make_peft_references.py.</summary>
    [Theory]
    [MemberData(nameof(AdaptersOfPeft))]
    public void Served_adapters_of_PEFT_give_the_logits_that_they_give_there(string name)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Reference", "peft_" + name);
        var golden = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "golden.json")))!;
        using var model = DecoderModel.Load(Path.Combine(AppContext.BaseDirectory, "Reference", name));
        using var adapter = LoraAdapter.LoadPeft(folder, model);
        int[] ids = [.. golden["ids"]!.AsArray().Select(id => (int)id!)];
        float[][] expected = [.. golden["logits"]!.AsArray().Select(row => row!.AsArray().Select(value => (float)value!).ToArray())];
        var scale = expected.Max(row => row.Max(MathF.Abs));
        using var engine = new CpuTokenModel(model, new EngineOptions { MaxRows = 2 });
        Row[] rows = [new(ids, null, 0), new(ids, adapter, 1)];
        var collected = new Collected();
        foreach (var size in new[] { 5, ids.Length - 5 })
            engine.Forward([.. rows.Select(row => row.Feed(size, all: true))], collected);
        for (var position = 0; position < ids.Length; position++)
        {
            foreach (var (want, got) in expected[position].Zip(collected.Logits[(1, position)]))
                Assert.Equal(want, got, 5e-5f * scale);
        }
    }

    [Theory]
    [InlineData("llama", "")]
    [InlineData("qwen2", "\"use_sliding_window\":false,")]
    [InlineData("phi3", "\"sliding_window\":9,\"partial_rotary_factor\":0.67,")]
    public void Prompts_in_bfloat16_are_near_and_rows_that_generate_beside_them_have_the_same_bits(string family, string more)
    {
        using var wide = Create(family, more);
        using var folder = new TemporaryFolder();
        wide.Save(folder.Path);
        using var model = DecoderModel.Load(folder.Path, new ModelLoadOptions { Dtype = ScalarType.BFloat16 });
        using var lora = Some.Adapter(model, 3, 1, LoraOptions.AllLinear);
        using var exact = new CpuTokenModel(model, new EngineOptions { MaxRows = 2 });
        using var narrow = new CpuTokenModel(model, new EngineOptions { MaxRows = 2, BFloat16Prompts = true });

        var (expected, actual) = (Step(exact), Step(narrow));

        var distance = 0f;
        foreach (var (key, logits) in expected)
        {
            var scale = logits.Max(MathF.Abs);
            var difference = logits.Zip(actual[key], (a, b) => MathF.Abs(a - b)).Max() / scale;
            if (key.Slot == 0)
                Assert.Equal(0f, difference);
            else
                distance = Math.Max(distance, difference);
        }
        Assert.InRange(distance, 1e-6f, 0.05f); // Rounded to eight bits many times; and the other way was really taken.

        Dictionary<(int Slot, int Position), float[]> Step(CpuTokenModel kernels)
        {
            var (generating, prompt) = (new Row([.. Enumerable.Range(1, 9)], null, 0), new Row([.. Enumerable.Range(1, 45)], lora, 1));
            kernels.Forward([generating.Feed(8, all: false)], new Collected());
            var collected = new Collected();
            kernels.Forward([generating.Feed(1, all: false), prompt.Feed(45, all: true)], collected);
            return collected.Logits;
        }
    }

    [Fact]
    public void A_row_has_the_same_bits_alone_together_and_in_any_chunks()
    {
        using var model = Create("llama", "");
        using var lora = Some.Adapter(model, 3, 1, LoraOptions.AllLinear);
        int[] tokens = [.. Enumerable.Range(1, 40).Select(k => k * 31 % 90)];
        var alone = Run(1, [40]);
        foreach (var (rows, chunks) in new[] { (1, new[] { 1, 2, 3, 4, 30 }), (3, [40]), (5, [7, 33]), (6, [39, 1]) })
            Assert.Equal(alone, Run(rows, chunks));

        float[] Run(int rows, int[] chunks)
        {
            using var engine = new CpuTokenModel(model, new EngineOptions { MaxRows = 6 });
            var all = Enumerable.Range(0, rows).Select(i => new Row(i == 0 ? tokens : [.. tokens.Select(t => (t + i) % 90)], i % 2 == 0 ? lora : null, i)).ToList();
            var collected = new Collected();
            foreach (var size in chunks)
                engine.Forward([.. all.Select(r => r.Feed(size, all: false))], collected);
            return collected.Logits[(0, 39)];
        }
    }

    [Fact]
    public void Steps_longer_than_a_pass_equal_libtorchs()
    {
        using var model = Create("llama", "\"max_position_embeddings\":1024,");
        using var ours = new CpuTokenModel(model, new EngineOptions { MaxRows = 2 });
        using var torchs = new DecoderTokenModel(model, new EngineOptions { MaxRows = 2 });
        var row = new Row([.. Enumerable.Range(0, CpuTokenModel.MaxPassTokens * 2 + 40).Select(k => k * 17 % 90)], null, 1);
        var step = row.Feed(row.Tokens.Length, all: false);
        var (mine, theirs) = (new Collected(), new Collected());
        ours.Forward([step], mine);
        torchs.Forward([step], theirs);
        var (expected, actual) = (Assert.Single(theirs.Logits).Value, Assert.Single(mine.Logits).Value);
        for (var v = 0; v < expected.Length; v++)
            Assert.Equal(expected[v], actual[v], 5e-5f * expected.Max(MathF.Abs));
    }

    [Fact]
    public void What_the_kernels_do_not_compute_is_left_to_libtorch()
    {
        using var wide = Some.TinyModel(ScalarType.Float64);
        Assert.False(CpuWeights.Supports(wide));
        using var half = Some.TinyModel(ScalarType.Float16);
        Assert.False(CpuWeights.Supports(half));
        using var folder = new TemporaryFolder();
        wide.Save(folder.Path, ScalarType.Float32);
        using var fourBits = DecoderModel.Load(folder.Path, new ModelLoadOptions { Quantization = Quantization.NF4 });
        Assert.False(CpuWeights.Supports(fourBits));
        using var stretched = DecoderModel.Load(Path.Combine(AppContext.BaseDirectory, "Reference", "phi3"));
        Assert.False(CpuWeights.Supports(stretched));
    }

    [Theory]
    [InlineData(Quantization.None)]
    [InlineData(Quantization.Int8)]
    public void Narrow_weights_give_the_numbers_of_their_float32_copies_and_the_same_bits_in_any_chunks(Quantization quantization)
    {
        using var folder = new TemporaryFolder();
        using (var made = Create("qwen2", "\"use_sliding_window\":false,\"tie_word_embeddings\":true,"))
            made.Save(folder.Path, ScalarType.BFloat16);
        var dtype = quantization == Quantization.None ? ScalarType.BFloat16 : ScalarType.Float32;
        using var narrow = DecoderModel.Load(folder.Path, new ModelLoadOptions { Dtype = dtype, Quantization = quantization });
        using var copy = DecoderModel.Load(folder.Path);
        using (var scope = NewDisposeScope())
        using (no_grad())
        {
            foreach (var (name, parameter) in copy.named_parameters())
            {
                if (name.EndsWith(".weight", StringComparison.Ordinal) && narrow.Linears.TryGetValue(name[..^".weight".Length], out var linear))
                    parameter.copy_(linear.DenseWeight());
                else if (name.EndsWith("embed_tokens.weight", StringComparison.Ordinal))
                    parameter.copy_(narrow.OutputWeight);
            }
        }
        using var adapter = Some.Adapter(copy, 3, 1, LoraOptions.AllLinear);
        int[] tokens = [.. Enumerable.Range(1, 40).Select(k => k * 31 % 90)];
        List<float> exact = Run(copy, [40]), whole = Run(narrow, [40]);
        if (quantization == Quantization.None)
            Assert.Equal(exact, whole);
        var largest = exact.Max(MathF.Abs);
        foreach (var (expected, actual) in exact.Zip(whole))
            Assert.Equal(expected, actual, 5e-4f * largest); // Beside 8-bit weights the vectors have 16 bits.
        Assert.Equal(whole, Run(narrow, [3, 1, 36])); // Products of one vector, of a few, of many.

        List<float> Run(DecoderModel model, int[] chunks)
        {
            using var engine = new CpuTokenModel(model, new EngineOptions { MaxRows = 2 });
            var rows = new[] { new Row(tokens, null, 0), new Row(tokens, adapter, 1) };
            var collected = new Collected();
            foreach (var size in chunks)
                engine.Forward([.. rows.Select(r => r.Feed(size, all: true))], collected);
            return [.. collected.Logits.OrderBy(l => l.Key).SelectMany(l => l.Value)];
        }
    }

    private static DecoderModel Create(string family, string more) => DecoderModel.Create(
        ModelConfig.Parse(family == "gpt2" ? $$"""
            {"model_type":"gpt2","vocab_size":{{Some.TinyVocabulary}},"n_embd":36,"n_inner":50,"n_layer":2,"n_head":6,"n_positions":128,
             "activation_function":"gelu_new","initializer_range":0.25}
            """ : $$"""
            {"model_type":"{{family}}","vocab_size":{{Some.TinyVocabulary}},"hidden_size":36,"intermediate_size":50,
             "num_hidden_layers":2,"num_attention_heads":6,"num_key_value_heads":2,"hidden_act":"{{(family.StartsWith("gemma", StringComparison.Ordinal) ? "gelu_pytorch_tanh" : "silu")}}",{{more}}
             {{(more.Contains("max_position", StringComparison.Ordinal) && !more.Contains("original", StringComparison.Ordinal) ? "" : "\"max_position_embeddings\":128,")}}
             "rms_norm_eps":1e-5,"rope_theta":10000.0,"initializer_range":0.25}
            """), seed: 5);

    private static LoraAdapter Dora(DecoderModel model)
    {
        var adapter = LoraAdapter.Create(model, new LoraOptions { Rank = 2, Alpha = 4, UseDora = true }, 3);
        using var frozen = no_grad();
        using var generator = new Generator(3, CPU);
        foreach (var (name, parameter) in adapter.named_parameters())
        {
            if (name.Contains("lora_B", StringComparison.Ordinal))
                parameter.normal_(0, 0.3, generator);
        }
        return adapter;
    }

    private sealed class Row
    {
        private readonly GenerationRow _row;
        private int _fed;

        public Row(int[] tokens, LoraAdapter? adapter, int slot)
        {
            (Tokens, Slot) = (tokens, slot);
            _row = new GenerationRow(new GenerationRequest { PromptTokens = tokens, Adapter = adapter }, 1);
        }

        public int[] Tokens { get; }

        public int Slot { get; }

        public StepRow Feed(int count, bool all)
        {
            count = Math.Min(count, Tokens.Length - _fed);
            var step = new StepRow { Owner = _row, Slot = Slot, Position = _fed, Count = count, AllLogits = all, LastLogits = true };
            _fed += count;
            return step;
        }
    }

    private sealed class Collected : ILogitsSink
    {
        public Dictionary<(int Slot, int Position), float[]> Logits { get; } = [];

        public void Accept(StepRow row, int index, Span<float> logits) => Logits.Add((row.Slot, row.Position + index), logits.ToArray());
    }
}
