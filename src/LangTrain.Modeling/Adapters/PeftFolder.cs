using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Reads and writes adapters in the layout of Hugging Face PEFT.</summary>
internal static class PeftFolder
{
    public const string KeyPrefix = "base_model.model.";
    private const string ConfigFile = "adapter_config.json", WeightsFile = "adapter_model.safetensors";
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>Keys that say nothing about the arithmetic of a loaded adapter.</summary>
    private static readonly string[] s_harmless =
    [
        "peft_type", "task_type", "base_model_name_or_path", "revision", "inference_mode", "auto_mapping", "merge_weights", "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", // which modules are adapted is seen from the weights
        "peft_version", "ephemeral_gpu_offload", "runtime_config", "loftq_config", "eva_config", "corda_config", "lora_ga_config", "qalora_group_size", "ensure_weight_tying", "megatron_core",
    ];

    public static void Save(LoraAdapter adapter, string folder, string baseModelName)
    {
        Directory.CreateDirectory(folder);
        SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), [.. adapter.named_parameters().Select(pair => KeyValuePair.Create(pair.name, (Tensor)pair.parameter))]);

        LoraOptions options = adapter.Options;
        IEnumerable<string> targets = options.TargetModules.Contains(LoraOptions.AllLinear) ? adapter.Modules.Select(name => name[(name.LastIndexOf('.') + 1)..]).Distinct() : options.TargetModules;
        var json = new JsonObject
        {
            ["peft_type"] = "LORA",
            ["task_type"] = "CAUSAL_LM",
            ["base_model_name_or_path"] = baseModelName,
            ["inference_mode"] = true,
            ["r"] = options.Rank,
            ["lora_alpha"] = options.Alpha == Math.Floor(options.Alpha) ? JsonValue.Create((long)options.Alpha) : JsonValue.Create(options.Alpha),
            ["lora_dropout"] = options.Dropout,
            ["target_modules"] = new JsonArray([.. targets.Select(target => (JsonNode)target)]),
            ["use_rslora"] = options.UseRslora,
            ["use_dora"] = options.UseDora,
            ["bias"] = "none",
            ["fan_in_fan_out"] = false,
            ["modules_to_save"] = null,
            ["rank_pattern"] = new JsonObject(options.RankPattern.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            ["alpha_pattern"] = new JsonObject(options.AlphaPattern.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            ["init_lora_weights"] = true,
        };
        File.WriteAllText(Path.Combine(folder, ConfigFile), json.ToJsonString(s_indented));
    }

    public static LoraAdapter Load(string folder, DecoderModel model)
    {
        LoraOptions options = ReadOptions(Path.Combine(folder, ConfigFile));
        string path = Path.Combine(folder, WeightsFile);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"'{folder}' has no {WeightsFile}.", path);
        }

        using SafetensorsFile file = SafetensorsFile.Open(path);
        using var scope = NewDisposeScope();
        HashSet<string> used = [];
        ScalarType dtype = LoraAdapter.ParameterType(model);
        Tensor Read(string key, params long[] shape)
        {
            if (!file.Contains(key))
            {
                throw new InvalidDataException($"{WeightsFile} lacks '{key}'.");
            }

            if (!file[key].Shape.SequenceEqual(shape))
            {
                throw new InvalidDataException($"{WeightsFile}: '{key}' is [{string.Join(", ", file[key].Shape)}]; the model and adapter_config.json need [{string.Join(", ", shape)}].");
            }

            used.Add(key);
            Tensor tensor = file.Read(key, dtype, model.Device);
            return tensor.isfinite().all().item<bool>() ? tensor : throw new InvalidDataException($"{WeightsFile}: '{key}' holds NaN or infinity.");
        }

        List<(string, Tensor, Tensor, Tensor?)> layers = [];
        foreach (LinearLayer layer in model.Linears.Values)
        {
            // An adapter of Gemma 3 with vision says which of the two models it means.
            if (model.StoredNames(layer.ModuleName).Select(name => $"{KeyPrefix}{name}.").FirstOrDefault(name => file.Contains(name + "lora_A.weight")) is { } prefix)
            {
                int rank = options.RankOf(layer.ModuleName);
                layers.Add((
                    layer.ModuleName,
                    Read(prefix + "lora_A.weight", rank, layer.InputSize),
                    Read(prefix + "lora_B.weight", layer.OutputSize, rank),
                    options.UseDora ? Read(prefix + "lora_magnitude_vector", layer.OutputSize) : null));
            }
        }

        if (file.Entries.FirstOrDefault(entry => !used.Contains(entry.Name)) is { } unknown)
        {
            throw new InvalidDataException($"{WeightsFile} holds '{unknown.Name}', which fits no linear layer of the {model.Config.ModelType} model's blocks.");
        }

        return layers.Count > 0 ? LoraAdapter.FromTensors(options, layers) : throw new InvalidDataException($"{WeightsFile} holds no layer.");
    }

    private static LoraOptions ReadOptions(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no {ConfigFile} in '{Path.GetDirectoryName(path)}'.", path);
        }

        ConfigObject keys = new(ModelConfigReader.ParseObject(File.ReadAllText(path), ConfigFile), ConfigFile + ": ");
        keys.Allow(s_harmless);
        keys.Require("peft_type", "LORA");
        keys.Require("init_lora_weights", "true", "false", "gaussian", "eva", "orthogonal"); // pissa, olora, corda, loftq: A and B stand beside a base whose weights were changed
        keys.Require("bias", "none");
        keys.Require("fan_in_fan_out", "false", "true"); // how the base stores its weight; A and B are the same either way
        foreach (string absent in (string[])["modules_to_save", "megatron_config", "layer_replication", "trainable_token_indices", "target_parameters", "arrow_config", "alora_invocation_tokens", "enable_lora"])
        {
            keys.Require(absent, "[]", "{}");
        }

        keys.Require("use_qalora", "false");
        keys.Require("use_bdlora", "false");
        keys.Require("lora_bias", "false");
        int rank = keys.OptionalPositiveInteger("r") ?? 8;
        var options = new LoraOptions
        {
            Rank = rank,
            Alpha = keys.OptionalNumber("lora_alpha") ?? 8,
            RankPattern = Pattern(keys, "rank_pattern").ToDictionary(pair => pair.Key, pair => pair.Value is >= 1 and <= int.MaxValue && pair.Value == Math.Floor(pair.Value) ? (int)pair.Value : throw keys.Wrong("rank_pattern", "positive whole numbers")),
            AlphaPattern = Pattern(keys, "alpha_pattern"),
            Dropout = keys.OptionalNumber("lora_dropout") ?? 0,
            UseRslora = keys.Flag("use_rslora", false),
            UseDora = keys.Flag("use_dora", false),
            TargetModules = keys.Take("target_modules") is JsonArray ? keys.OptionalTexts("target_modules")! : [LoraOptions.AllLinear],
        };
        keys.RefuseTheRest();
        try
        {
            options.ScalingOf(""); // a pattern that is not understood is known now, not at the first module
        }
        catch (ArgumentException error)
        {
            throw new UnsupportedModelException(keys.Path("rank_pattern, alpha_pattern"), error.Message);
        }

        return options;
    }

    private static Dictionary<string, double> Pattern(ConfigObject keys, string key) => keys.Take(key) switch
    {
        null => [],
        JsonObject pattern when pattern.All(pair => pair.Value?.GetValueKind() == JsonValueKind.Number) => pattern.ToDictionary(pair => pair.Key, pair => pair.Value!.GetValue<JsonElement>().GetDouble()),
        _ => throw keys.Wrong(key, "an object of numbers"),
    };
}
