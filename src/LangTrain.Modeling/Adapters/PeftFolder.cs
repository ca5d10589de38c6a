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
        SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), [.. adapter.named_parameters().Select(pair => KeyValuePair.Create(adapter.IsOfTextPart ? OneLevelDown(pair.name) : pair.name, (Tensor)pair.parameter))]);

        LoraOptions options = adapter.Options;
        IEnumerable<string> targets = options.TargetModules.Contains(LoraOptions.AllLinear) ? adapter.Modules.Select(LastPart).Distinct() : options.TargetModules;
        var json = new JsonObject
        {
            ["peft_type"] = "LORA",
            ["task_type"] = "CAUSAL_LM",
            ["base_model_name_or_path"] = baseModelName,
            ["inference_mode"] = true,
            ["r"] = options.Rank,
            ["lora_alpha"] = options.Alpha == Math.Floor(options.Alpha) && Math.Abs(options.Alpha) < long.MaxValue ? JsonValue.Create((long)options.Alpha) : JsonValue.Create(options.Alpha),
            ["lora_dropout"] = options.Dropout,
            ["target_modules"] = adapter.IsOfTextPart ? JsonValue.Create(TextPartOnly(targets)) : new JsonArray([.. targets.Select(target => (JsonNode)target)]),
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
        using SafetensorsFile file = OpenWeights(folder);
        (LoraOptions options, bool maySaveBias) = ReadConfig(Path.Combine(folder, ConfigFile));
        IReadOnlyList<(LinearLayer Layer, string StoredName)> found = Find(file, model);
        options = Exact(options, found, model);
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
        foreach ((LinearLayer layer, string name) in found)
        {
            string prefix = $"{KeyPrefix}{name}.";
            int rank = options.RankOf(layer.ModuleName);
            layers.Add((
                layer.ModuleName,
                Read(prefix + "lora_A.weight", rank, layer.InputSize),
                Read(prefix + "lora_B.weight", layer.OutputSize, rank),
                options.UseDora ? Read(prefix + "lora_magnitude_vector", layer.OutputSize) : null));
        }

        if (file.Entries.FirstOrDefault(entry => !used.Contains(entry.Name) && !model.IsOfVision(entry.Name)) is { } unknown)
        {
            throw maySaveBias && unknown.Name.EndsWith(".bias", StringComparison.Ordinal)
                ? new UnsupportedModelException("bias", $"{WeightsFile} holds '{unknown.Name}': adapters with biases of their own are not supported.", ConfigFile)
                : new InvalidDataException($"{WeightsFile} holds '{unknown.Name}', which fits no linear layer of the {model.Config.ModelType} model's blocks.");
        }

        return layers.Count > 0 ? LoraAdapter.FromTensors(model, options, layers) : throw new InvalidDataException($"{WeightsFile} holds no layer of the {model.Config.ModelType} model's blocks.");
    }

    /// <summary>The shape of a stored adapter; its weights are not looked at.</summary>
    public static LoraOptions ReadOptions(string folder, DecoderModel model)
    {
        using SafetensorsFile file = OpenWeights(folder);
        return Exact(ReadConfig(Path.Combine(folder, ConfigFile)).Options, Find(file, model), model);
    }

    private static SafetensorsFile OpenWeights(string folder)
    {
        string path = Path.Combine(folder, WeightsFile);
        return File.Exists(path) ? SafetensorsFile.Open(path) : throw new FileNotFoundException($"'{folder}' has no {WeightsFile}.", path);
    }

    /// <summary>The layers that the file has matrices for, in the order of the model, and what the file calls them.</summary>
    private static List<(LinearLayer Layer, string StoredName)> Find(SafetensorsFile file, DecoderModel model) =>
    [
        .. from layer in model.Linears.Values
           let name = model.StoredNames(layer.ModuleName).FirstOrDefault(name => file.Contains($"{KeyPrefix}{name}.lora_A.weight"))
           where name is not null
           select (layer, name),
    ];

    /// <summary>
    /// Options that say of every module what the folder says: its patterns are for the names that modules had where it was made, and its target modules may be
    /// an expression, or more than the adapter really has.
    /// </summary>
    private static LoraOptions Exact(LoraOptions options, IReadOnlyList<(LinearLayer Layer, string StoredName)> found, DecoderModel model)
    {
        if (found.Any(one => one.StoredName != one.Layer.ModuleName))
        {
            options = options with
            {
                RankPattern = found.Where(one => options.RankOf(one.StoredName) != options.Rank).ToDictionary(one => PatternFor(one.Layer), one => options.RankOf(one.StoredName)),
                AlphaPattern = found.Where(one => options.AlphaOf(one.StoredName) != options.Alpha).ToDictionary(one => PatternFor(one.Layer), one => options.AlphaOf(one.StoredName)),
            };
        }

        HashSet<LinearLayer> adapted = [.. found.Select(one => one.Layer)];
        return adapted.SetEquals(model.Linears.Values.Where(layer => options.TargetModules.Any(target => LoraTargets.Matches(layer.ModuleName, target))))
            ? options
            : options with
            {
                TargetModules = [.. model.Linears.Values.GroupBy(layer => LastPart(layer.ModuleName)).SelectMany(group => group.All(adapted.Contains) ? [group.Key] : group.Where(adapted.Contains).Select(layer => layer.ModuleName))],
            };
    }

    private static string LastPart(string module) => module[(module.LastIndexOf('.') + 1)..];

    /// <summary>The module's name without what it is called in the whole model, which differs between models with and without vision.</summary>
    private static string PatternFor(LinearLayer layer) => layer.ModuleName[(layer.ModuleName.IndexOf('.', StringComparison.Ordinal) + 1)..].Replace(".", @"\.", StringComparison.Ordinal);

    private static string OneLevelDown(string key) => key.Replace($"{KeyPrefix}model.", $"{KeyPrefix}model.language_model.", StringComparison.Ordinal);

    /// <summary>An expression, as PEFT takes one for a list, that means modules of the text model only: the vision tower's are called alike.</summary>
    private static string TextPartOnly(IEnumerable<string> targets)
    {
        const string Whole = "model.";
        IEnumerable<string> names = targets.Select(target => (target.StartsWith(Whole, StringComparison.Ordinal) ? target[Whole.Length..] : target).Replace(".", @"\.", StringComparison.Ordinal));
        return $@"(?:.*\.)?language_model\.(?:.*\.)?(?:{string.Join('|', names)})";
    }

    private static (LoraOptions Options, bool MaySaveBias) ReadConfig(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no {ConfigFile} in '{Path.GetDirectoryName(path)}'.", path);
        }

        ConfigObject keys = new(ModelConfigReader.ParseObject(File.ReadAllText(path), ConfigFile), file: ConfigFile);
        keys.Allow(s_harmless);
        keys.Require("peft_type", "LORA");
        keys.Require("init_lora_weights", "true", "false", "gaussian", "eva", "orthogonal"); // pissa, olora, corda, loftq: A and B stand beside a base whose weights were changed
        keys.Require("bias", "none", "all", "lora_only"); // over a base without biases these keep none
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
            throw new UnsupportedModelException(keys.Path("rank_pattern, alpha_pattern"), error.Message, ConfigFile);
        }

        return (options, (keys.OptionalText("bias") ?? "none") != "none");
    }

    private static Dictionary<string, double> Pattern(ConfigObject keys, string key) => keys.Take(key) switch
    {
        null => [],
        JsonObject pattern when pattern.All(pair => pair.Value?.GetValueKind() == JsonValueKind.Number && Math.Abs(pair.Value.GetValue<JsonElement>().GetDouble()) <= float.MaxValue) => pattern.ToDictionary(pair => pair.Key, pair => pair.Value!.GetValue<JsonElement>().GetDouble()),
        _ => throw keys.Wrong(key, "an object of numbers"),
    };
}
