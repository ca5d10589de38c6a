using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Modeling.Tests;

/// <summary>llama.cpp itself as judge of exported files; skipped where it is not installed.</summary>
public sealed class LlamaCppTests : IDisposable
{
    private const string Common = """{"hidden_size":64,"intermediate_size":96,"num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":2,"max_position_embeddings":256,"bos_token_id":1,"eos_token_id":2,"initializer_range":0.15}""";
    private static readonly Dictionary<string, string> s_families = new()
    {
        ["llama 2"] = """{"model_type":"llama"}""",
        ["llama 3.2"] = """{"model_type":"llama","head_dim":32,"tie_word_embeddings":true,"rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":64}}""",
        ["llama linear"] = """{"model_type":"llama","attention_bias":true,"rope_scaling":{"rope_type":"linear","factor":2.0}}""",
        ["mistral"] = """{"model_type":"mistral","sliding_window":null}""",
        ["qwen 2.5 yarn"] = """{"model_type":"qwen2","rope_theta":1000000.0,"rope_scaling":{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":64}}""",
        ["qwen 3"] = """{"model_type":"qwen3","head_dim":32,"tie_word_embeddings":true}""",
        ["gemma 2"] = """{"model_type":"gemma2","head_dim":32,"query_pre_attn_scalar":32,"sliding_window":48,"hidden_activation":"gelu_pytorch_tanh"}""",
        ["gemma 3"] = """{"model_type":"gemma3_text","head_dim":32,"query_pre_attn_scalar":32,"sliding_window":48,"sliding_window_pattern":3,"hidden_activation":"gelu_pytorch_tanh"}""",
        ["phi 4 mini"] = """{"model_type":"phi3","tie_word_embeddings":true,"partial_rotary_factor":0.75,"original_max_position_embeddings":64,"rope_scaling":{"type":"longrope","short_factor":[1,1,1,1,1.1,1.1],"long_factor":[1.5,1.5,1.5,2,2,3]}}""",
        ["smollm 3"] = """{"model_type":"smollm3","no_rope_layer_interval":4}""",
        ["granite 3"] = """{"model_type":"granite","tie_word_embeddings":true,"embedding_multiplier":6.0,"attention_multiplier":0.1,"residual_multiplier":0.4,"logits_scaling":2.0}""",
        ["olmo 2"] = """{"model_type":"olmo2"}""",
        ["gpt 2"] = """{"model_type":"gpt2","n_embd":64,"n_layer":4,"n_head":4,"n_positions":256,"bos_token_id":1,"eos_token_id":2,"initializer_range":0.15}""",
    };

    private readonly DisposeScopeOfTest _scope = new();
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Families => [.. s_families.Keys];

    public void Dispose()
    {
        _folder.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Llama_cpp_finds_the_same_perplexity(string family)
    {
        var random = new Random(1);
        string[] words = "the of and to in is it's don't café naïve hello world 123 quick brown fox jumps over lazy dog Привет, foo_bar".Split(' ');
        string text = string.Join(' ', Enumerable.Range(0, 900).Select(_ => words[random.Next(words.Length)]));
        File.WriteAllText(_folder.File("text.txt"), text);
        bool isSentencePiece = family is "llama 2" or "mistral" or "gemma 2" or "gemma 3";
        File.WriteAllBytes(_folder.File("tokenizer.json"), isSentencePiece ? SentencePiece(words) : ByteLevel(text));
        Tokenizer tokenizer = Tokenizer.Load(_folder.Path);
        JsonObject json = family == "gpt 2" ? [] : JsonNode.Parse(Common)!.AsObject();
        foreach ((string key, JsonNode? value) in JsonNode.Parse(s_families[family])!.AsObject())
        {
            json[key] = value?.DeepClone();
        }

        json["vocab_size"] = tokenizer.VocabularySize;
        ModelConfig config = ModelConfig.Parse(json.ToJsonString());
        using DecoderModel model = DecoderModel.Create(config, 3);
        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 4, UseDora = true });
        IReadOnlyList<int> ids = tokenizer.Encode(text, addSpecialTokens: true);
        double base32 = Perplexity.Of(model, ids, 1), merged = Perplexity.Of(model, ids, 1, adapter: adapter);
        Assert.True(Math.Abs(merged / base32 - 1) > 0.01);

        Equal(base32, GgufType.F32, null, 1e-3);
        Equal(merged, GgufType.F32, adapter, 1e-3);
        Equal(merged, GgufType.F16, adapter, 1e-2);
        Equal(merged, GgufType.BF16, adapter, 3e-2);
        Equal(merged, GgufType.Q8_0, adapter, 3e-2);

        void Equal(double expected, GgufType type, LoraAdapter? with, double tolerance)
        {
            GgufExporter.Export(model, _folder.File("m.gguf"), type, _folder.Path, with);
            Assert.InRange(LlamaCpp.Perplexity(_folder.File("m.gguf"), _folder.File("text.txt")) / expected - 1, -tolerance, tolerance);
        }
    }

    [Theory]
    [InlineData(GgufType.F32)]
    [InlineData(GgufType.F16)]
    [InlineData(GgufType.Q8_0)]
    public void Llama_cpp_writes_the_golden_text(GgufType type)
    {
        string folder = SharedModels.Stories260K();
        using DecoderModel model = DecoderModel.Load(folder);
        GgufExporter.Export(model, _folder.File("m.gguf"), type, folder);
        JsonElement story = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "golden.json"))).RootElement[0];
        string prompt = story.GetProperty("prompt").GetString()!, text = story.GetProperty("text").GetString()!;

        // Eight bits may part from the golden text at a close call; the first sentences are none.
        int length = type == GgufType.Q8_0 ? 60 : 150;
        Assert.StartsWith(text[..length], prompt + LlamaCpp.Greedy(_folder.File("m.gguf"), prompt, 120));
    }

    private static byte[] ByteLevel(string text)
    {
        var trainer = new BpeTrainer();
        trainer.Add(text);
        return trainer.Train(340, ["<unk>", "<|begin|>", "<|end|>"], "<|begin|>");
    }

    /// <summary>The smallest tokenizer of Llama 2's kind that merges anything.</summary>
    private static byte[] SentencePiece(string[] words)
    {
        List<string> entries = ["<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), "▁", .. "abcdefghijklmnopqrstuvwxyz'".Select(letter => letter.ToString())];
        var merges = new JsonArray();
        foreach (string word in words.Where(word => word.All(char.IsAsciiLetterLower)))
        {
            for (int length = 1; length <= word.Length; length++)
            {
                string left = "▁" + word[..(length - 1)], right = word[(length - 1)..length];
                if (!entries.Contains(left + right))
                {
                    entries.Add(left + right);
                    merges.Add($"{left} {right}");
                }
            }
        }

        var vocabulary = new JsonObject(entries.Select((entry, id) => KeyValuePair.Create(entry, (JsonNode?)id)));
        JsonObject Special(int id) => new() { ["id"] = id, ["content"] = entries[id], ["special"] = true, ["normalized"] = false };
        var json = new JsonObject
        {
            ["added_tokens"] = new JsonArray(Special(0), Special(1), Special(2)),
            ["normalizer"] = JsonNode.Parse("""{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}"""),
            ["post_processor"] = JsonNode.Parse("""{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}}"""),
            ["decoder"] = JsonNode.Parse("""{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}"""),
            ["model"] = new JsonObject { ["type"] = "BPE", ["unk_token"] = "<unk>", ["fuse_unk"] = true, ["byte_fallback"] = true, ["vocab"] = vocabulary, ["merges"] = merges },
        };
        return Encoding.UTF8.GetBytes(json.ToJsonString());
    }
}
