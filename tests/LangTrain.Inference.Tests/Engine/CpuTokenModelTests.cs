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
    public void Logits_equal_libtorchs_for_every_family_with_and_without_adapters(string family, string more)
    {
        using var model = Create(family, more);
        using var lora = Some.Adapter(model, 3, 1, LoraOptions.AllLinear);
        using var other = Some.Adapter(model, 9, 2, "q_proj", "down_proj");
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
        using var narrow = Some.TinyModel(ScalarType.BFloat16);
        Assert.False(CpuWeights.Supports(narrow));
        using var sliding = Create("mistral", "\"sliding_window\":8,");
        Assert.False(CpuWeights.Supports(sliding));
    }

    private static DecoderModel Create(string family, string more) => DecoderModel.Create(
        ModelConfig.Parse($$"""
            {"model_type":"{{family}}","vocab_size":{{Some.TinyVocabulary}},"hidden_size":36,"intermediate_size":50,
             "num_hidden_layers":2,"num_attention_heads":6,"num_key_value_heads":2,"hidden_act":"silu",{{more}}
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
