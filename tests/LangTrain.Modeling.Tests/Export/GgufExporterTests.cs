using System.Text.Json;
using LangTrain.Modeling.Tokenizers;
using LangTrain.Modeling.Tokenizers.BytePair;
namespace LangTrain.Modeling.Tests;

/// <summary>
/// The files' form. That llama.cpp (v0.5.0) computes the same was tried by hand for every family, base and merged adapter, all types: probabilities equal to
/// what its 16-bit cache allows, greedy text of a real model equal.
/// </summary>
public sealed class GgufExporterTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _folder.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData(GgufType.F32, 0u, 0.0)]
    [InlineData(GgufType.F16, 1u, 0.001)]
    [InlineData(GgufType.BF16, 30u, 0.005)]
    [InlineData(GgufType.Q8_0, 8u, 0.008)]
    public void Weights_are_stored_in_the_type_asked_for(GgufType type, uint code, double tolerance)
    {
        using DecoderModel model = Some.Model();
        GgufReader file = Export(model, type);
        float[] expected = model.Linears["model.layers.1.mlp.up_proj"].DenseWeight().data<float>().ToArray();
        (long[] shape, uint stored, float[] values) = file.Tensors["blk.1.ffn_up.weight"];
        Assert.Equal([32, 48], shape);
        Assert.Equal(code, stored);
        Assert.True(expected.Zip(values, (a, b) => Math.Abs(a - b)).Max() <= tolerance * expected.Max(Math.Abs));
        Assert.Equal(0u, file.Tensors["blk.1.attn_norm.weight"].Type);
        Assert.Equal(3 + 3 * 9, file.Tensors.Count);
        Assert.Equal("llama", file.Metadata["general.architecture"]);
        Assert.Equal(2u, file.Metadata["llama.attention.head_count_kv"]);
    }

    [Fact]
    public void Rows_of_query_and_key_are_dealt_out_for_neighbouring_pairs()
    {
        using DecoderModel model = Some.Model();
        GgufReader file = Export(model, GgufType.F32);
        float[] ours = model.Linears["model.layers.0.self_attn.q_proj"].DenseWeight().data<float>().ToArray(), theirs = file.Tensors["blk.0.attn_q.weight"].Values;

        // Heads of 8: our pair (1, 5) of head 2 is their pair (2, 3).
        Assert.Equal(ours[((16 + 1) * 32)..((16 + 2) * 32)], theirs[((16 + 2) * 32)..((16 + 3) * 32)]);
        Assert.Equal(ours[((16 + 5) * 32)..((16 + 6) * 32)], theirs[((16 + 3) * 32)..((16 + 4) * 32)]);
    }

    [Fact]
    public void A_merged_adapter_is_in_the_weights()
    {
        using DecoderModel model = Some.Model();
        using LoraAdapter adapter = Some.Adapter(model);
        LinearLayer layer = model.Linears["model.layers.2.mlp.down_proj"];
        GgufExporter.Export(model, _folder.File("m.gguf"), GgufType.F32, null, adapter);
        Assert.Equal(adapter.MergedWeight(layer).data<float>().ToArray(), new GgufReader(_folder.File("m.gguf")).Tensors["blk.2.ffn_down.weight"].Values);
    }

    [Fact]
    public void Tokenizer_and_special_tokens_go_along()
    {
        string folder = SharedModels.Stories260K();
        using DecoderModel model = DecoderModel.Load(folder);
        GgufExporter.Export(model, _folder.File("m.gguf"), GgufType.F16, folder);
        Dictionary<string, object> metadata = new GgufReader(_folder.File("m.gguf")).Metadata;
        object[] tokens = (object[])metadata["tokenizer.ggml.tokens"], types = (object[])metadata["tokenizer.ggml.token_type"];
        Assert.Equal("llama", metadata["tokenizer.ggml.model"]);
        Assert.Equal(512, tokens.Length);
        Assert.Equal([2, 3, 3, 6], types[..4].Cast<int>());
        Assert.Equal("<0x0A>", tokens[13]);
        Assert.Equal(2u, metadata["tokenizer.ggml.eos_token_id"]);
        Assert.Equal(true, metadata["tokenizer.ggml.add_bos_token"]);
    }

    /// <summary>Without ids in the file llama.cpp takes those of GPT-2's vocabulary, and writes a comma for them.</summary>
    [Fact]
    public void Where_config_json_names_no_tokens_those_of_the_tokenizer_begin_and_end_a_text()
    {
        File.WriteAllText(_folder.File("vocab.json"), JsonSerializer.Serialize(Enumerable.Range(0, 256).ToDictionary(value => ByteAlphabet.CharOf((byte)value).ToString())));
        File.WriteAllText(_folder.File("merges.txt"), "#version: 0.2\n");
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"tokenizer_class": "GPT2Tokenizer", "added_tokens_decoder": {"256": {"content": "<s>", "special": true}, "257": {"content": "</s>", "special": true}}, "bos_token": "<s>", "eos_token": "</s>", "chat_template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}"}""");
        ModelConfig config = ModelConfig.Parse("""{"model_type":"llama","vocab_size":258,"hidden_size":32,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":16,"max_position_embeddings":64}""");
        using DecoderModel model = Some.Model(config: config);
        GgufExporter.Export(model, _folder.File("m.gguf"), GgufType.F32, _folder.Path);
        Dictionary<string, object> metadata = new GgufReader(_folder.File("m.gguf")).Metadata;
        Assert.Equal((256u, 257u, false), (metadata["tokenizer.ggml.bos_token_id"], metadata["tokenizer.ggml.eos_token_id"], metadata["tokenizer.ggml.add_bos_token"]));
        Assert.DoesNotContain("tokenizer.ggml.eot_token_id", metadata.Keys);
    }

    [Fact]
    public void Tokens_that_only_the_settings_name_are_in_the_file_where_the_model_has_rows_for_them()
    {
        File.WriteAllText(_folder.File("vocab.json"), JsonSerializer.Serialize(Enumerable.Range(0, 256).ToDictionary(value => ByteAlphabet.CharOf((byte)value).ToString())));
        File.WriteAllText(_folder.File("merges.txt"), "#version: 0.2\n");
        File.WriteAllText(_folder.File("tokenizer_config.json"), """
            {"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": {"256": {"content": "<|endoftext|>", "special": true}, "257": {"content": "<tool_call>", "special": false}}, "eos_token": "<|im_end|>", "bos_token": "<|endoftext|>", "add_bos_token": true, "additional_special_tokens": ["<|far|>"]}
            """);
        using DecoderModel model = Some.Model(config: ModelConfig.ForLlama(259, 32, 1, 4, 2, 48, 128, true));
        GgufExporter.Export(model, _folder.File("m.gguf"), GgufType.F32, _folder.Path);
        Dictionary<string, object> metadata = new GgufReader(_folder.File("m.gguf")).Metadata;
        Assert.Equal("qwen2", metadata["tokenizer.ggml.pre"]);
        Assert.Equal(["<|endoftext|>", "<tool_call>", "<|im_end|>"], ((object[])metadata["tokenizer.ggml.tokens"])[256..].Cast<string>());
        Assert.Equal([3, 4, 3], ((object[])metadata["tokenizer.ggml.token_type"])[256..].Cast<int>());
        Assert.Equal((true, 256u), (metadata["tokenizer.ggml.add_bos_token"], metadata["tokenizer.ggml.bos_token_id"]));
        // The end of text is the one that a template would write; config.json's other one ends an answer too.
        Assert.Equal((258u, 2u), (metadata["tokenizer.ggml.eos_token_id"], metadata["tokenizer.ggml.eot_token_id"]));

        // And the folder that comes back has one tokenizer.json which says all of it.
        GgufImporter.Import(_folder.File("m.gguf"), _folder.File("back"));
        Tokenizer tokenizer = Tokenizer.Load(_folder.Path), back = Tokenizer.Load(_folder.File("back"));
        string text = "a <|im_end|> b<tool_call><|far|>";
        Assert.Equal(tokenizer.Encode(text, addSpecialTokens: true, parseSpecialTokens: true), back.Encode(text, addSpecialTokens: true, parseSpecialTokens: true));
    }

    [Fact]
    public void What_llama_cpp_would_compute_differently_is_refused_or_cut()
    {
        string reference = Path.Combine(AppContext.BaseDirectory, "Reference");
        using DecoderModel gemma = DecoderModel.Load(Path.Combine(reference, "gemma2")), mistral = DecoderModel.Load(Path.Combine(reference, "mistral"));
        Assert.Contains("query_pre_attn_scalar", Assert.Throws<UnsupportedModelException>(() => Export(gemma, GgufType.F32)).Message);
        Assert.Equal(5u, Export(mistral, GgufType.F32).Metadata["llama.context_length"]);
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.tmp"));
    }

    [Theory]
    [InlineData("null", "256 bytes")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false},{"type":"Punctuation"}]}""", "Punctuation")]
    public void A_tokenizer_that_llama_cpp_does_not_have_is_refused(string preTokenizer, string named)
    {
        File.WriteAllText(_folder.File("tokenizer.json"), $$$"""
            {"pre_tokenizer": {{{preTokenizer}}}, "decoder": {"type": "Fuse"}, "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "vocab": {"<unk>": 0, "a": 1}, "merges": []}}
            """);
        using DecoderModel model = Some.Model();
        Assert.Contains(named, Assert.Throws<UnsupportedModelException>(() => GgufExporter.Export(model, _folder.File("m.gguf"), GgufType.F32, _folder.Path)).Message);
    }

    private GgufReader Export(DecoderModel model, GgufType type)
    {
        GgufExporter.Export(model, _folder.File("m.gguf"), type, null);
        return new GgufReader(_folder.File("m.gguf"));
    }
}
