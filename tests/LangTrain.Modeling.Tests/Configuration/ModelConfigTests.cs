using System.Text.Json.Nodes;

namespace LangTrain.Modeling.Tests;

public class ModelConfigTests
{
    [Theory]
    [InlineData("\"hidden_act\": \"\\ud800\"", false)]
    [InlineData("\"\\udc00\": 1", false)]
    [InlineData("\"id2label\": {\"0\": \"\\ud83d\\u0020\"}", false)]
    [InlineData("\"id2label\": {\"0\": \"\\ud83d\\ude00 \\\\ud800\"}", true)]
    public void An_escape_of_half_a_character_is_refused(string keys, bool isFine)
    {
        string json = $$"""{"model_type":"llama","hidden_size":32,"intermediate_size":48,"num_hidden_layers":1,"num_attention_heads":2,"vocab_size":64,"max_position_embeddings":64,{{keys}}}""";
        if (isFine)
        {
            Assert.Equal("llama", ModelConfig.Parse(json).ModelType);
        }
        else
        {
            Assert.Contains("config.json", Assert.Throws<InvalidDataException>(() => ModelConfig.Parse(json)).Message);
        }
    }

    [Fact]
    public void Both_spellings_of_rope_and_dtype_mean_the_same()
    {
        ModelConfig older = Parse(json =>
        {
            json["rope_theta"] = 500000.0;
            json["rope_scaling"] = JsonNode.Parse("""{"factor":8.0,"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"}""");
        });
        ModelConfig newer = Parse(json =>
        {
            json.Remove("rope_theta");
            json.Remove("rope_scaling");
            json.Remove("torch_dtype");
            json["dtype"] = "bfloat16";
            json["rope_parameters"] = JsonNode.Parse("""{"rope_theta":500000.0,"factor":8.0,"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":8192,"rope_type":"llama3"}""");
        });
        Assert.Equal(older.Rope! with { ShortFactors = [], LongFactors = [] }, newer.Rope! with { ShortFactors = older.Rope!.ShortFactors, LongFactors = older.Rope.LongFactors });
        Assert.Equal(RopeScaling.Llama3, newer.Rope!.Scaling);
        Assert.Equal(500000, newer.Rope.Theta);
    }

    [Fact]
    public void Llama3_frequencies_equal_the_published_ones()
    {
        // By the formula of the Llama 3.1 reference implementation, evaluated apart in Python: theta 500000, D 128, factor 8, 1 to 4, 8192.
        var rope = new RopeSettings { Theta = 500000, Scaling = RopeScaling.Llama3, Factor = 8, LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalContextLength = 8192 };
        double[] frequencies = RotaryEmbedding.Frequencies(rope, 128);
        Assert.Equal(1.0, frequencies[0], 12);
        Assert.Equal(0.016560440080994446, frequencies[20], 12);
        Assert.Equal(0.0008567514129196321, frequencies[31], 12);
        Assert.Equal(3.068925988914511e-07, frequencies[63], 12);
    }

    [Theory]
    [InlineData("model_type", "\"mamba\"")]
    [InlineData("hidden_act", "\"relu6\"")]
    [InlineData("rope_scaling", """{"rope_type":"ntk","factor":4.0}""")]
    [InlineData("rope_scaling", """{"rope_type":"linear","factor":4.0,"beta":3}""")]
    [InlineData("quantization_config", """{"bits":4}""")]
    [InlineData("logit_scale", "0.5")]
    [InlineData("rope_scaling", """{"rope_type":"linear","factor":4.0}""", "\"rope_parameters\":{\"rope_type\":\"default\"}")]
    [InlineData("layer_types", """["sliding_attention","full_attention"]""", "\"model_type\":\"qwen2\",\"use_sliding_window\":false,\"sliding_window\":8")]
    public void A_key_that_is_not_honoured_is_refused_by_name(string key, string value, string beside = "") =>
        Assert.StartsWith(key, Assert.Throws<UnsupportedModelException>(() => Parse(json =>
        {
            foreach ((string other, JsonNode? setting) in JsonNode.Parse($"{{{beside}}}")!.AsObject())
            {
                json[other] = setting?.DeepClone();
            }

            json[key] = JsonNode.Parse(value);
        })).Key);

    [Theory]
    [InlineData("hidden_size", "\"big\"")]
    [InlineData("num_attention_heads", "5")]
    [InlineData("num_key_value_heads", "3")]
    [InlineData("vocab_size", "-1")]
    [InlineData("vocab_size", "null")]
    [InlineData("rope_theta", "0")]
    [InlineData("rms_norm_eps", "-1e-6")]
    [InlineData("rope_scaling", """{"type":"longrope","short_factor":[1,1],"long_factor":[1,1,1,1,1,1,1,1]}""")]
    [InlineData("rope_scaling", """{"type":"longrope","short_factor":[1,1,1,1,1,1,1,1]}""")]
    [InlineData("partial_rotary_factor", "3")]
    [InlineData("rms_norm_eps", "1e-320")]
    [InlineData("rope_theta", "1e39")]
    public void A_value_that_cannot_be_is_refused_by_name(string key, string value) =>
        Assert.Contains(key, Assert.Throws<InvalidDataException>(() => Parse(json => json[key] = JsonNode.Parse(value))).Message);

    [Fact]
    public void End_tokens_of_both_files_are_joined()
    {
        ModelConfig config = Parse(json => json["eos_token_id"] = JsonNode.Parse("[7, 8]"), """{"eos_token_id": [8, 9], "temperature": 0.6}""");
        Assert.Equal([7, 8, 9], config.EosTokenIds);
        Assert.Equal(1, config.BosTokenId);
    }

    [Fact]
    public void What_is_left_out_has_the_familys_default()
    {
        ModelConfig Of(string type) => Parse(json =>
        {
            json["model_type"] = type;
            json.Remove("rms_norm_eps");
        });
        Assert.Equal((1e-5, 1e-6), (Of("phi3").NormEpsilon, Of("llama").NormEpsilon));
    }

    /// <summary>As transformers 5.12.1 saves a Gemma 3 with fewer layers than its pattern is long: all have a window, and keys of old stand beside the two kinds.</summary>
    [Fact]
    public void Gemma_3_with_layers_of_one_kind_is_read_as_transformers_saves_it()
    {
        const string Rope = """{"full_attention":{"factor":4.0,"rope_theta":1000000.0,"rope_type":"linear"},"rope_theta":null,"rope_type":"default","sliding_attention":{"rope_theta":777.0,"rope_type":"default"}}""";
        static ModelConfig Of(string rope) => ModelConfig.Parse($$"""
            {"model_type":"gemma3_text","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"head_dim":16,"vocab_size":64,"layer_types":["sliding_attention","sliding_attention"],"sliding_window":8,"rope_parameters":{{rope}}}
            """);
        Assert.Equal((777, RopeScaling.Linear), (Of(Rope).LocalRope!.Theta, Of(Rope).Rope!.Scaling));
        Assert.Equal("rope_parameters.rope_type", Assert.Throws<UnsupportedModelException>(() => Of(Rope.Replace("\"rope_theta\":null,\"rope_type\":\"default\"", "\"rope_type\":\"linear\""))).Key);
    }

    [Theory]
    [InlineData("""{"model_type":"gemma3"}""", "'text_config' is missing")]
    [InlineData("""{"model_type":"gemma3","text_config":{"hidden_size":"big"}}""", "'text_config.hidden_size'")]
    [InlineData("""{"model_type":"gemma3","text_config":{"query_pre_attn_scalar":-1}}""", "'text_config.query_pre_attn_scalar'")]
    public void A_wrong_text_model_within_one_with_vision_is_refused_by_its_place(string json, string said) =>
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => ModelConfig.Parse(json)).Message);

    [Fact]
    public void A_cap_that_the_nested_class_would_not_use_is_refused_by_name()
    {
        string nested = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Reference", "gemma3", "config.json")).Replace("\"sliding_window\": 5", "\"final_logit_softcapping\": 5.0, \"sliding_window\": 5");
        Assert.Equal("text_config.final_logit_softcapping", Assert.Throws<UnsupportedModelException>(() => ModelConfig.Parse(nested)).Key);
    }

    [Fact]
    public void A_key_without_a_value_is_no_key() => Assert.Equal(16, Parse(json => json["some_future_key"] = null).HeadSize);

    private static ModelConfig Parse(Action<JsonObject> change, string? generation = null)
    {
        JsonObject json = JsonNode.Parse(ModelConfig.ForLlama(64, 64, 2, 4, 2, 96, 256).Json)!.AsObject();
        change(json);
        return ModelConfig.Parse(json.ToJsonString(), generation);
    }
}
