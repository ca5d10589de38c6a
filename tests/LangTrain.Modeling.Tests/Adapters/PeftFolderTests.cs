using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

public sealed class PeftFolderTests : IDisposable
{
    private readonly DisposeScopeOfTest _scope = new();
    private readonly TemporaryFolder _folder = new();
    private readonly DecoderModel _model = Some.Model();

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_saved_adapter_gives_identical_logits_when_loaded(bool dora)
    {
        using LoraAdapter adapter = Some.Adapter(_model, options: new LoraOptions { Rank = 4, Alpha = 7.5, Dropout = 0.05, UseDora = dora, UseRslora = true, TargetModules = ["q_proj", "up_proj"] });
        adapter.SavePeft(_folder.Path, "org/base");
        using LoraAdapter loaded = LoraAdapter.LoadPeft(_folder.Path, _model);
        Tensor ids = Some.Ids(2, 9);
        adapter.SetTrainable(false);
        Tensor expected = Some.Logits(_model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter) });
        Assert.True(Some.Same(expected, Some.Logits(_model, ids, new ForwardPass { Adapters = AdapterSelection.All(loaded) })));
        Assert.Equivalent(adapter.Options, loaded.Options);
        Assert.All(loaded.parameters(), parameter => Assert.False(parameter.requires_grad));
    }

    [Fact]
    public void The_files_are_in_PEFTs_layout()
    {
        using LoraAdapter adapter = Some.Adapter(_model, options: new LoraOptions { Rank = 4, UseDora = true, TargetModules = ["k_proj"] });
        adapter.SavePeft(_folder.Path, "org/base");
        using SafetensorsFile file = SafetensorsFile.Open(_folder.File("adapter_model.safetensors"));
        Assert.Equal(
            [
                "base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight [4, 32]",
                "base_model.model.model.layers.0.self_attn.k_proj.lora_B.weight [16, 4]",
                "base_model.model.model.layers.0.self_attn.k_proj.lora_magnitude_vector [16]",
            ],
            file.Entries.Take(3).Select(entry => $"{entry.Name} [{string.Join(", ", entry.Shape)}]"));
        Assert.Equal(9, file.Entries.Count);
        JsonObject config = JsonNode.Parse(File.ReadAllText(_folder.File("adapter_config.json")))!.AsObject();
        Assert.Equal("LORA", (string?)config["peft_type"]);
        Assert.Equal("CAUSAL_LM", (string?)config["task_type"]);
        Assert.Equal("org/base", (string?)config["base_model_name_or_path"]);
        Assert.Equal(4, (int?)config["r"]);
        Assert.Equal("""["k_proj"]""", config["target_modules"]!.ToJsonString());
    }

    [Theory]
    [InlineData("lora_bias", "true")]
    [InlineData("modules_to_save", "[\"lm_head\"]")]
    [InlineData("rank_pattern", "{\"(?=q)q_proj\": 8}")]
    [InlineData("peft_type", "\"IA3\"")]
    [InlineData("init_lora_weights", "\"pissa_niter_4\"")]
    [InlineData("init_lora_weights", "\"loftq\"")]
    [InlineData("enable_lora", "[true, false]")]
    [InlineData("some_new_arithmetic", "true")]
    public void A_PEFT_feature_that_is_not_computed_is_refused_by_name(string key, string value)
    {
        Save();
        JsonObject config = JsonNode.Parse(File.ReadAllText(_folder.File("adapter_config.json")))!.AsObject();
        config[key] = JsonNode.Parse(value);
        File.WriteAllText(_folder.File("adapter_config.json"), config.ToJsonString());
        string message = Assert.Throws<UnsupportedModelException>(() => LoraAdapter.LoadPeft(_folder.Path, _model)).Message;
        Assert.StartsWith("adapter_config.json: '", message);
        Assert.Contains(key, message);
    }

    [Fact]
    public void Biases_of_its_own_are_refused_where_the_adapter_has_some()
    {
        using LoraAdapter adapter = Save();
        string config = _folder.File("adapter_config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"bias\": \"none\"", "\"bias\": \"all\"", StringComparison.Ordinal));
        LoraAdapter.LoadPeft(_folder.Path, _model).Dispose();
        SafetensorsWriter.Write(
            _folder.File("adapter_model.safetensors"),
            [.. adapter.named_parameters().Select(pair => KeyValuePair.Create(pair.name, (Tensor)pair.parameter)), KeyValuePair.Create("base_model.model.model.layers.0.self_attn.q_proj.base_layer.bias", zeros(32))]);
        Assert.Contains("'bias'", Assert.Throws<UnsupportedModelException>(() => LoraAdapter.LoadPeft(_folder.Path, _model)).Message);
    }

    [Theory]
    [InlineData("\"lora_alpha\": 1e999", "lora_alpha")]
    [InlineData("\"target_modules\": [1]", "target_modules")]
    [InlineData("\"target_modules\": [null]", "target_modules")]
    [InlineData("\"alpha_pattern\": {\"q_proj\": \"4\"}", "alpha_pattern")]
    [InlineData("\"alpha_pattern\": {\"q_proj\": 1e39}", "alpha_pattern")]
    [InlineData("\"r\": 8, \"r\": 4", "adapter_config.json")]
    [InlineData("\"rank_pattern\": {\"q_proj\": 8, \"q_proj\": 4}", "adapter_config.json")]
    public void A_config_that_makes_no_sense_is_refused_by_name(string keys, string named)
    {
        Save().Dispose();
        File.WriteAllText(_folder.File("adapter_config.json"), $$"""{"peft_type": "LORA", {{keys}}}""");
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => LoraAdapter.LoadPeft(_folder.Path, _model)).Message);
    }

    /// <summary>As written by early PEFT (0.2), and for Gemma 3 with vision, where the text model is a part of the model.</summary>
    [Theory]
    [InlineData("base_model.model.model.layers.", "\"enable_lora\": null, \"merge_weights\": false, \"init_lora_weights\": true")]
    [InlineData("base_model.model.model.language_model.layers.", "\"init_lora_weights\": \"gaussian\", \"target_modules\": \"(?:.*?(?:language|text).*?(?:q_proj|v_proj).*?)\"")]
    [InlineData("base_model.model.language_model.model.layers.", "\"init_lora_weights\": true, \"target_modules\": \"all-linear\"")]
    public void Adapters_of_other_makers_are_read(string prefix, string keys)
    {
        using DecoderModel model = DecoderModel.Load(Path.Combine(AppContext.BaseDirectory, "Reference", "gemma3"));
        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 4, Alpha = 8, TargetModules = ["q_proj", "v_proj"] });
        adapter.SetTrainable(false);
        SafetensorsWriter.Write(_folder.File("adapter_model.safetensors"), [.. adapter.named_parameters().Select(pair => KeyValuePair.Create(pair.name.Replace("base_model.model.model.layers.", prefix, StringComparison.Ordinal), (Tensor)pair.parameter))]);
        File.WriteAllText(_folder.File("adapter_config.json"), $$"""{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none", "task_type": "CAUSAL_LM", {{keys}}}""");
        using LoraAdapter loaded = LoraAdapter.LoadPeft(_folder.Path, model);
        Tensor ids = Some.Ids(1, 9, vocabulary: 40);
        Assert.True(Some.Same(Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(adapter) }), Some.Logits(model, ids, new ForwardPass { Adapters = AdapterSelection.All(loaded) })));
    }

    /// <summary>In Python the folder is one model with vision, whose adapters name the text model's modules one level down and may adapt the vision tower as well.</summary>
    [Fact]
    public void Adapters_of_a_model_with_vision_are_exchanged_under_the_names_that_modules_have_there()
    {
        using DecoderModel model = DecoderModel.Load(Path.Combine(AppContext.BaseDirectory, "Reference", "gemma3"));
        using LoraAdapter adapter = Some.Adapter(model, options: new LoraOptions { Rank = 4, Alpha = 8, TargetModules = ["q_proj", "model.layers.1.mlp.up_proj"] });
        adapter.SetTrainable(false);
        adapter.SavePeft(_folder.Path, "org/base");
        using (SafetensorsFile file = SafetensorsFile.Open(_folder.File("adapter_model.safetensors")))
        {
            Assert.All(file.Entries, entry => Assert.StartsWith("base_model.model.model.language_model.layers.", entry.Name));
        }

        JsonObject config = JsonNode.Parse(File.ReadAllText(_folder.File("adapter_config.json")))!.AsObject();
        string targets = (string)config["target_modules"]!;
        Assert.True(IsTarget("model.language_model.layers.2.self_attn.q_proj") && IsTarget("model.language_model.layers.1.mlp.up_proj"));
        Assert.False(IsTarget("model.language_model.layers.0.mlp.up_proj") || IsTarget("model.vision_tower.encoder.layers.0.self_attn.q_proj"));
        bool IsTarget(string name) => System.Text.RegularExpressions.Regex.IsMatch(name, $"^(?:{targets})$");

        // As PEFT writes it with a strength for one layer, by the name that the layer has there.
        config["alpha_pattern"] = new JsonObject { ["model.language_model.layers.1.self_attn.q_proj"] = 16 };
        File.WriteAllText(_folder.File("adapter_config.json"), config.ToJsonString());
        SafetensorsWriter.Write(
            _folder.File("adapter_model.safetensors"),
            [
                .. adapter.named_parameters().Select(pair => KeyValuePair.Create(pair.name.Replace(".model.layers.", ".model.language_model.layers.", StringComparison.Ordinal), (Tensor)pair.parameter)),
                KeyValuePair.Create("base_model.model.model.vision_tower.encoder.layers.0.self_attn.q_proj.lora_A.weight", zeros(4, 8)),
                KeyValuePair.Create("base_model.model.model.vision_tower.encoder.layers.0.self_attn.q_proj.lora_B.weight", zeros(8, 4)),
            ]);
        using LoraAdapter loaded = LoraAdapter.LoadPeft(_folder.Path, model);
        Assert.Equal(adapter.Modules, loaded.Modules);
        Assert.Equal((2.0, 4.0), (loaded.Options.ScalingOf("model.layers.0.self_attn.q_proj"), loaded.Options.ScalingOf("model.layers.1.self_attn.q_proj")));
        Assert.Equal(2.0, loaded.Options.ScalingOf("model.layers.1.mlp.up_proj"));
    }

    [Fact]
    public void Ranks_and_strengths_by_pattern_hold_and_are_kept()
    {
        var options = new LoraOptions
        {
            Rank = 4,
            Alpha = 8,
            RankPattern = new Dictionary<string, int> { ["down_proj"] = 2, ["layers.1.self_attn.q_proj"] = 6 },
            AlphaPattern = new Dictionary<string, double> { ["q_proj|k_proj"] = 3 },
            TargetModules = ["q_proj", "k_proj", "down_proj"],
        };
        using LoraAdapter adapter = Some.Adapter(_model, options: options);
        adapter.SavePeft(_folder.Path, "org/base");
        using LoraAdapter loaded = LoraAdapter.LoadPeft(_folder.Path, _model);
        (string Name, double Rank, double Scaling)[] expected = [("layers.0.self_attn.q_proj", 4, 3 / 4.0), ("layers.1.self_attn.q_proj", 6, 3 / 6.0), ("layers.2.self_attn.k_proj", 4, 3 / 4.0), ("layers.2.mlp.down_proj", 2, 8 / 2.0)];
        foreach ((string name, double rank, double scaling) in expected)
        {
            LinearLayer layer = _model.Linears["model." + name];
            Tensor a = loaded.get_parameter($"base_model.model.model.{name}.lora_A.weight")!, b = loaded.get_parameter($"base_model.model.model.{name}.lora_B.weight")!;
            Assert.Equal(rank, a.shape[0]);
            Some.Close(layer.DenseWeight() + matmul(b, a) * scaling, loaded.MergedWeight(layer));
        }

        Assert.Equivalent(options, loaded.Options);
    }

    [Fact]
    public void Weights_that_do_not_fit_or_are_not_finite_are_refused()
    {
        using (LoraAdapter adapter = Save())
        {
            using (no_grad())
            {
                adapter.parameters().First()[0, 0] = tensor(float.NaN);
            }

            adapter.SavePeft(_folder.Path, "org/base");
        }

        Assert.Contains("NaN", Assert.Throws<InvalidDataException>(() => LoraAdapter.LoadPeft(_folder.Path, _model)).Message);
        Save().Dispose();
        using DecoderModel other = Some.Model(config: ModelConfig.ForLlama(96, 64, 3, 4, 2, 48, 128));
        Assert.Throws<InvalidDataException>(() => LoraAdapter.LoadPeft(_folder.Path, other));
        using DecoderModel shallow = Some.Model(config: ModelConfig.ForLlama(96, 32, 2, 4, 2, 48, 128));
        Assert.Contains("layers.2", Assert.Throws<InvalidDataException>(() => LoraAdapter.LoadPeft(_folder.Path, shallow)).Message);
    }

    private LoraAdapter Save()
    {
        LoraAdapter adapter = Some.Adapter(_model);
        adapter.SavePeft(_folder.Path, "org/base");
        return adapter;
    }
}
