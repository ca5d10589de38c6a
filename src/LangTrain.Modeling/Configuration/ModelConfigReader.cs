using System.Text.Json;
using System.Text.Json.Nodes;

namespace LangTrain.Modeling;

/// <summary>Turns config.json of each supported family into a <see cref="ModelConfig"/>; the one place that knows the families' spellings and defaults.</summary>
internal static class ModelConfigReader
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    private const string Families = "llama, mistral, qwen2, qwen3, gemma2, gemma3, gemma3_text, phi3, gpt2";

    /// <summary>Keys that never change what a forward pass computes here: bookkeeping, generation defaults, regularization of the original training.</summary>
    private static readonly string[] s_harmless =
    [
        "architectures", "model_type", "torch_dtype", "dtype", "transformers_version", "use_cache", "initializer_range", "auto_map", "name_or_path", "_name_or_path", "_attn_implementation", "_attn_implementation_autoset", "_commit_hash",
        "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "cls_token_id", "decoder_start_token_id", "is_decoder", "is_encoder_decoder",
        "attention_dropout", "attn_pdrop", "embd_pdrop", "resid_pdrop", "summary_activation", "summary_first_dropout", "summary_proj_to_labels",
        "summary_type", "summary_use_proj", "pretraining_tp", "output_attentions", "output_hidden_states", "output_past", "return_dict", "torchscript", "use_bfloat16",
        "tf_legacy_loss", "pruned_heads", "tokenizer_class", "prefix", "problem_type", "finetuning_task", "id2label", "label2id", "num_labels", "task_specific_params",
        "gradient_checkpointing", "chunk_size_feed_forward", "return_dict_in_generate", "remove_invalid_values", "forced_bos_token_id", "forced_eos_token_id",
        "suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
        "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
        "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "num_return_sequences", "output_scores", "cache_implementation", "unsloth_fixed", "unsloth_version",
    ];

    public static ModelConfig Read(string json, string? generationJson)
    {
        JsonObject root = ParseObject(json, "config.json");
        if ((root["model_type"] as JsonValue)?.ToString() == "gemma3" && root["text_config"] is JsonObject text)
        {
            // Gemma 3 with vision: the text model is a model of its own, nested; its vision tower is not loaded.
            root = TextModel(root, text);
            json = root.ToJsonString(s_indented);
        }

        ConfigObject keys = new(root);
        string type = keys.OptionalText("model_type") ?? throw keys.Missing("model_type");
        keys.Allow(s_harmless);
        keys.Require("quantization_config");
        keys.Require("is_encoder_decoder", "false");
        keys.Require("add_cross_attention", "false");
        keys.Require("cross_attention_hidden_size");
        keys.Require("tie_encoder_decoder", "false");

        ModelConfig config = type switch
        {
            "llama" => Llama(keys, json, type),
            "mistral" => Mistral(keys, json, type),
            "qwen2" => Qwen2(keys, json, type),
            "qwen3" => Qwen3(keys, json, type),
            "gemma2" => Gemma2(keys, json, type),
            "gemma3_text" => Gemma3(keys, json, type),
            "phi3" => Phi3(keys, json, type),
            "gpt2" => Gpt2(keys, json, type),
            _ => throw new UnsupportedModelException("model_type", $"'{type}' is not supported; supported: {Families}."),
        };
        keys.RefuseTheRest();
        return WithTokens(Validated(config), keys, generationJson);
    }

    private static ModelConfig Llama(ConfigObject keys, string json, string type)
    {
        bool attentionBias = keys.Flag("attention_bias", false);
        return Common(keys, json, type) with
        {
            Rope = RopeReader.Read(keys, 10000),
            QueryKeyValueBias = attentionBias,
            AttentionOutputBias = attentionBias,
            FeedForwardBias = keys.Flag("mlp_bias", false),
        };
    }

    private static ModelConfig Mistral(ConfigObject keys, string json, string type)
    {
        ModelConfig config = Common(keys, json, type) with { Rope = RopeReader.Read(keys, 10000) };
        int? window = keys.OptionalPositiveInteger("sliding_window") ?? (keys.Has("sliding_window") ? null : 4096);
        return WithWindow(config, window, _ => true);
    }

    private static ModelConfig Qwen2(ConfigObject keys, string json, string type)
    {
        keys.Require("use_mrope", "false");
        return QwenWindow(keys, Common(keys, json, type) with { Rope = RopeReader.Read(keys, 10000), QueryKeyValueBias = true });
    }

    private static ModelConfig Qwen3(ConfigObject keys, string json, string type)
    {
        bool bias = keys.Flag("attention_bias", false);
        return QwenWindow(keys, Common(keys, json, type, defaultHeadSize: 128) with
        {
            Rope = RopeReader.Read(keys, 10000),
            QueryKeyValueBias = bias,
            AttentionOutputBias = bias,
            QueryKeyNorm = true,
        });
    }

    private static ModelConfig QwenWindow(ConfigObject keys, ModelConfig config)
    {
        bool used = keys.Flag("use_sliding_window", false);
        int? window = keys.OptionalPositiveInteger("sliding_window");
        int first = keys.OptionalInteger("max_window_layers") ?? 28;
        List<bool>? types = LayerTypes(keys, config.LayerCount);
        return WithWindow(config, used ? window ?? 4096 : null, layer => types?[layer] ?? layer >= first);
    }

    private static ModelConfig Gemma2(ConfigObject keys, string json, string type)
    {
        ModelConfig config = Gemma(keys, Common(keys, json, type, "hidden_activation", tied: true, defaultHeadSize: 256)) with { Rope = RopeReader.Read(keys, 10000) };
        List<bool>? types = LayerTypes(keys, config.LayerCount);
        return WithWindow(config, keys.OptionalPositiveInteger("sliding_window") ?? (keys.Has("sliding_window") ? null : 4096), layer => types?[layer] ?? layer % 2 == 0) with
        {
            AttentionSoftCap = keys.OptionalNumber("attn_logit_softcapping") ?? (keys.Has("attn_logit_softcapping") ? null : 50),
            LogitSoftCap = keys.OptionalNumber("final_logit_softcapping") ?? (keys.Has("final_logit_softcapping") ? null : 30),
        };
    }

    private static ModelConfig Gemma3(ConfigObject keys, string json, string type)
    {
        // The reference implementation reads this key and does not use it; a model that needs it would be computed wrongly everywhere.
        keys.Require("attn_logit_softcapping");
        ModelConfig config = Gemma(keys, Common(keys, json, type, "hidden_activation", tied: true, defaultHeadSize: 256, gemma3: true));
        (RopeSettings rope, RopeSettings local) = RopeReader.ReadGemma3(keys);
        int pattern = keys.OptionalPositiveInteger("sliding_window_pattern") ?? keys.OptionalPositiveInteger("_sliding_window_pattern") ?? 6;
        keys.Allow(["_sliding_window_pattern"]);
        List<bool>? types = LayerTypes(keys, config.LayerCount);
        return WithWindow(config, keys.PositiveInteger("sliding_window", 4096), layer => types?[layer] ?? (layer + 1) % pattern != 0) with
        {
            Rope = rope,
            LocalRope = local,
            QueryKeyNorm = true,
            LogitSoftCap = keys.OptionalNumber("final_logit_softcapping"),
        };
    }

    /// <summary>What Gemma 2 and 3 share.</summary>
    private static ModelConfig Gemma(ConfigObject keys, ModelConfig config)
    {
        bool bias = keys.Flag("attention_bias", false);
        keys.Require("use_bidirectional_attention", "false");
        keys.Require("hidden_act", "gelu_pytorch_tanh");
        return config with
        {
            Activation = keys.Take("hidden_activation") is null ? Activation.GeluTanh : config.Activation,
            AttentionScale = 1 / Math.Sqrt(keys.OptionalNumber("query_pre_attn_scalar") ?? 256),
            EmbeddingScale = Math.Sqrt(config.HiddenSize),
            NormAddsOne = true,
            SandwichNorms = true,
            QueryKeyValueBias = bias,
            AttentionOutputBias = bias,
        };
    }

    private static ModelConfig Phi3(ConfigObject keys, string json, string type)
    {
        keys.Require("attention_bias", "false");
        keys.Require("mlp_bias", "false");
        keys.Require("lm_head_bias", "false");
        keys.Require("interpolate_factor", "1");
        keys.Require("full_attn_mod", "1");
        ModelConfig config = Common(keys, json, type) with { Rope = RopeReader.Read(keys, 10000), FusedProjections = true };
        keys.Allow(["original_max_position_embeddings"]);
        return WithWindow(config, keys.OptionalPositiveInteger("sliding_window"), _ => true);
    }

    private static ModelConfig Gpt2(ConfigObject keys, string json, string type)
    {
        keys.Require("scale_attn_weights", "true");
        keys.Require("scale_attn_by_inverse_layer_idx", "false");
        keys.Allow(["reorder_and_upcast_attn", "n_ctx"]); // the first is about rounding, the second repeats n_positions
        int hidden = keys.PositiveInteger("n_embd", 768), heads = keys.PositiveInteger("n_head", 12);
        if (hidden % heads != 0)
        {
            throw new InvalidDataException($"config.json: 'n_head' {heads} does not divide 'n_embd' {hidden}.");
        }

        return new ModelConfig
        {
            ModelType = type,
            Json = json,
            ContextLength = keys.PositiveInteger("n_positions", 1024),
            VocabularySize = keys.PositiveInteger("vocab_size", 50257),
            HiddenSize = hidden,
            LayerCount = keys.PositiveInteger("n_layer", 12),
            QueryHeads = heads,
            KeyValueHeads = heads,
            HeadSize = hidden / heads,
            FeedForwardSize = keys.OptionalPositiveInteger("n_inner") ?? 4 * hidden,
            TieEmbeddings = keys.Flag("tie_word_embeddings", true),
            NormEpsilon = keys.OptionalNumber("layer_norm_epsilon") ?? 1e-5,
            Activation = keys.Take("activation_function") is null ? Activation.GeluTanh : ReadActivation(keys, "activation_function"),
            AttentionScale = 1 / Math.Sqrt(hidden / heads),
            QueryKeyValueBias = true,
            AttentionOutputBias = true,
            FeedForwardBias = true,
            InitializerRange = keys.OptionalNumber("initializer_range") ?? 0.02,
        };
    }

    /// <summary>What the families with Llama's spelling share.</summary>
    private static ModelConfig Common(ConfigObject keys, string json, string type, string activation = "hidden_act", bool tied = false, int? defaultHeadSize = null, bool gemma3 = false)
    {
        // Published Gemma 3 folders leave out what equals the family's defaults; all others say everything.
        int? Default(int value) => gemma3 ? value : null;
        int hidden = keys.PositiveInteger("hidden_size", Default(2304));
        int heads = keys.PositiveInteger("num_attention_heads", Default(8));
        int headSize = keys.OptionalPositiveInteger("head_dim") ?? defaultHeadSize ?? (hidden % heads == 0 ? hidden / heads : throw keys.Wrong("num_attention_heads", $"a divisor of hidden_size {hidden}"));
        return new ModelConfig
        {
            ModelType = type,
            Json = json,
            ContextLength = keys.PositiveInteger("max_position_embeddings", gemma3 ? 131072 : 2048),
            VocabularySize = keys.PositiveInteger("vocab_size", Default(262208)),
            HiddenSize = hidden,
            LayerCount = keys.PositiveInteger("num_hidden_layers", Default(26)),
            QueryHeads = heads,
            KeyValueHeads = keys.OptionalPositiveInteger("num_key_value_heads") ?? Default(4) ?? heads,
            HeadSize = headSize,
            FeedForwardSize = keys.PositiveInteger("intermediate_size", Default(9216)),
            TieEmbeddings = keys.Flag("tie_word_embeddings", tied),
            NormEpsilon = keys.OptionalNumber("rms_norm_eps") ?? 1e-6,
            Activation = ReadActivation(keys, activation),
            AttentionScale = 1 / Math.Sqrt(headSize),
            InitializerRange = keys.OptionalNumber("initializer_range") ?? 0.02,
        };
    }

    private static ModelConfig WithWindow(ModelConfig config, int? window, Func<int, bool> isSliding) => config with
    {
        SlidingWindow = window,
        SlidingLayers = window is null ? [] : [.. Enumerable.Range(0, config.LayerCount).Select(isSliding)],
    };

    /// <summary>The newer spelling of which layers attend only to the window.</summary>
    private static List<bool>? LayerTypes(ConfigObject keys, int layers)
    {
        IReadOnlyList<string>? types = keys.OptionalTexts("layer_types");
        if (types is not null && types.Count != layers)
        {
            throw keys.Wrong("layer_types", $"{layers} entries");
        }

        return types?.Select(one => one switch
        {
            "sliding_attention" => true,
            "full_attention" => false,
            _ => throw new UnsupportedModelException(keys.Path("layer_types"), $"'{one}' is not supported; supported: full_attention, sliding_attention."),
        }).ToList();
    }

    private static JsonObject TextModel(JsonObject root, JsonObject text)
    {
        var result = (JsonObject)text.DeepClone();
        result["model_type"] = "gemma3_text";
        result["architectures"] = new JsonArray("Gemma3ForCausalLM");
        foreach (string key in (string[])["bos_token_id", "eos_token_id", "pad_token_id", "torch_dtype", "dtype", "tie_word_embeddings", "quantization_config"])
        {
            if (root[key] is { } value && result[key] is null)
            {
                result[key] = value.DeepClone();
            }
        }

        return result;
    }

    private static Activation ReadActivation(ConfigObject keys, string key) => keys.OptionalText(key) switch
    {
        null or "silu" or "swish" => Activation.Silu,
        "gelu_pytorch_tanh" or "gelu_new" or "gelu_fast" => Activation.GeluTanh,
        "gelu" => Activation.Gelu,
        string other => throw new UnsupportedModelException(keys.Path(key), $"'{other}' is not supported; supported: silu, gelu, gelu_new, gelu_pytorch_tanh."),
    };

    private static ModelConfig Validated(ModelConfig config)
    {
        if (config.QueryHeads % config.KeyValueHeads != 0)
        {
            throw new InvalidDataException($"config.json: 'num_key_value_heads' {config.KeyValueHeads} does not divide 'num_attention_heads' {config.QueryHeads}.");
        }

        return config.Rope is null || config.HeadSize % 2 == 0 ? config : throw new InvalidDataException($"config.json: 'head_dim' {config.HeadSize} is odd; rotary embeddings need an even one.");
    }

    private static ModelConfig WithTokens(ModelConfig config, ConfigObject keys, string? generationJson)
    {
        List<int> eos = [.. keys.TokenIds("eos_token_id")];
        if (generationJson is not null)
        {
            eos.AddRange(new ConfigObject(ParseObject(generationJson, "generation_config.json")).TokenIds("eos_token_id"));
        }

        IReadOnlyList<int> bos = keys.TokenIds("bos_token_id"), pad = keys.TokenIds("pad_token_id");
        return config with
        {
            EosTokenIds = [.. eos.Distinct()],
            BosTokenId = bos.Count > 0 ? bos[0] : null,
            PadTokenId = pad.Count > 0 && pad[0] >= 0 ? pad[0] : null,
            GenerationJson = generationJson,
        };
    }

    private static JsonObject ParseObject(string json, string file)
    {
        try
        {
            return JsonNode.Parse(json, null, new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject ?? throw new InvalidDataException($"{file} is not a JSON object.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{file} is not valid JSON: {error.Message}", error);
        }
    }
}
