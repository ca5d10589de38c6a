namespace LangTrain.Modeling;

/// <summary>The spellings and defaults of each supported family, as transformers has them.</summary>
internal static class ModelFamilies
{
    /// <summary>Far beyond every model: layers are made before the weights are seen, and config.json may claim any number.</summary>
    private const int MostLayers = 10_000;

    public static ModelConfig Llama(ConfigObject keys, string json, string type) => WithBiases(keys, Common(keys, json, type) with { Rope = RopeReader.Read(keys, 10000) });

    public static ModelConfig Mistral(ConfigObject keys, string json, string type)
    {
        RequireNoBias(keys);
        ModelConfig config = Common(keys, json, type) with { Rope = RopeReader.Read(keys, 10000) };
        int? window = keys.OptionalPositiveInteger("sliding_window") ?? (keys.Has("sliding_window") ? null : 4096);
        return WithWindow(config, window, _ => true);
    }

    public static ModelConfig Qwen2(ConfigObject keys, string json, string type)
    {
        RequireNoBias(keys);
        keys.Require("use_mrope", "false");
        return QwenWindow(keys, Common(keys, json, type) with { Rope = RopeReader.Read(keys, 10000), QueryKeyValueBias = true });
    }

    public static ModelConfig Qwen3(ConfigObject keys, string json, string type)
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
        if (!used && types?.Contains(true) == true)
        {
            throw new UnsupportedModelException(keys.Path("layer_types"), "it names layers with a sliding window, and use_sliding_window is not true.");
        }

        return WithWindow(config, used ? window ?? 4096 : null, layer => types?[layer] ?? layer >= first);
    }

    public static ModelConfig Gemma2(ConfigObject keys, string json, string type)
    {
        ModelConfig config = Gemma(keys, Common(keys, json, type, "hidden_activation", tied: true, defaultHeadSize: 256)) with { Rope = RopeReader.Read(keys, 10000) };
        List<bool>? types = LayerTypes(keys, config.LayerCount);
        return WithWindow(config, keys.OptionalPositiveInteger("sliding_window") ?? (keys.Has("sliding_window") ? null : 4096), layer => types?[layer] ?? layer % 2 == 0) with
        {
            AttentionSoftCap = keys.OptionalPositiveNumber("attn_logit_softcapping") ?? (keys.Has("attn_logit_softcapping") ? null : 50),
            LogitSoftCap = keys.OptionalPositiveNumber("final_logit_softcapping") ?? (keys.Has("final_logit_softcapping") ? null : 30),
        };
    }

    public static ModelConfig Gemma3(ConfigObject keys, string json, string type)
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
            LogitSoftCap = keys.OptionalPositiveNumber("final_logit_softcapping"),
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
            AttentionScale = 1 / Math.Sqrt(keys.OptionalPositiveNumber("query_pre_attn_scalar") ?? 256),
            EmbeddingScale = Math.Sqrt(config.HiddenSize),
            NormAddsOne = true,
            Norms = NormPlacement.Around,
            QueryKeyValueBias = bias,
            AttentionOutputBias = bias,
        };
    }

    public static ModelConfig Phi3(ConfigObject keys, string json, string type)
    {
        RequireNoBias(keys);
        keys.Require("lm_head_bias", "false");
        keys.Require("interpolate_factor", "1");
        keys.Require("full_attn_mod", "1");
        ModelConfig config = Common(keys, json, type, defaultEpsilon: 1e-5) with { Rope = RopeReader.Read(keys, 10000, originalByDefault: 4096, partialIsHonoured: true), FusedProjections = true };
        keys.Allow(["original_max_position_embeddings"]);
        return WithWindow(config, keys.OptionalPositiveInteger("sliding_window"), _ => true);
    }

    public static ModelConfig SmolLm3(ConfigObject keys, string json, string type)
    {
        ModelConfig config = WithBiases(keys, Common(keys, json, type, tied: true) with { Rope = RopeReader.Read(keys, 2_000_000) });
        int interval = keys.OptionalPositiveInteger("no_rope_layer_interval") ?? 4;
        List<bool> turns = keys.OptionalIntegers("no_rope_layers") is { } listed
            ? [.. listed.Select(number => number != 0)] // despite the key's name 0 says that a layer turns nothing
            : [.. Enumerable.Range(1, config.LayerCount).Select(layer => layer % interval != 0)];
        if (turns.Count < config.LayerCount)
        {
            throw keys.Wrong("no_rope_layers", $"at least {config.LayerCount} entries");
        }

        keys.Allow(["max_window_layers"]);
        List<bool>? types = LayerTypes(keys, config.LayerCount);
        int? window = keys.Flag("use_sliding_window", false) ? keys.OptionalPositiveInteger("sliding_window") : null;
        keys.Allow(["sliding_window"]);
        if (window is null && types?.Contains(true) == true)
        {
            throw new UnsupportedModelException(keys.Path("layer_types"), "it names layers with a sliding window, and there is no use_sliding_window with a sliding_window.");
        }

        return WithWindow(config with { RotaryLayers = [.. turns.Take(config.LayerCount)] }, window, layer => types?[layer] ?? !turns[layer]);
    }

    public static ModelConfig Granite(ConfigObject keys, string json, string type) => WithBiases(keys, Common(keys, json, type) with
    {
        Rope = RopeReader.Read(keys, 10000),
        AttentionScale = keys.OptionalPositiveNumber("attention_multiplier") ?? 1,
        EmbeddingScale = keys.OptionalPositiveNumber("embedding_multiplier") ?? 1,
        ResidualScale = keys.OptionalPositiveNumber("residual_multiplier") ?? 1,
        OutputScale = 1 / (keys.OptionalPositiveNumber("logits_scaling") ?? 1),
    });

    public static ModelConfig Olmo2(ConfigObject keys, string json, string type)
    {
        bool bias = keys.Flag("attention_bias", false);
        return Common(keys, json, type, defaultEpsilon: 1e-5) with
        {
            Rope = RopeReader.Read(keys, 10000),
            QueryKeyValueBias = bias,
            AttentionOutputBias = bias,
            QueryKeyNorm = true,
            NormsHeadsTogether = true,
            Norms = NormPlacement.After,
        };
    }

    public static ModelConfig Gpt2(ConfigObject keys, string json, string type)
    {
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
            LayerCount = keys.PositiveInteger("n_layer", 12, MostLayers),
            QueryHeads = heads,
            KeyValueHeads = heads,
            HeadSize = hidden / heads,
            FeedForwardSize = keys.OptionalPositiveInteger("n_inner") ?? 4 * hidden,
            TieEmbeddings = keys.Flag("tie_word_embeddings", true),
            NormEpsilon = keys.OptionalPositiveNumber("layer_norm_epsilon") ?? 1e-5,
            Activation = keys.Take("activation_function") is null ? Activation.GeluTanh : ReadActivation(keys, "activation_function"),
            AttentionScale = keys.Flag("scale_attn_weights", true) ? 1 / Math.Sqrt(hidden / heads) : 1,
            ScalesAttentionByLayer = keys.Flag("scale_attn_by_inverse_layer_idx", false),
            QueryKeyValueBias = true,
            AttentionOutputBias = true,
            FeedForwardBias = true,
            InitializerRange = keys.OptionalNumber("initializer_range") ?? 0.02,
        };
    }

    /// <summary>What the families with Llama's spelling share.</summary>
    private static ModelConfig Common(ConfigObject keys, string json, string type, string activation = "hidden_act", bool tied = false, int? defaultHeadSize = null, bool gemma3 = false, double defaultEpsilon = 1e-6)
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
            LayerCount = keys.PositiveInteger("num_hidden_layers", Default(26), MostLayers),
            QueryHeads = heads,
            KeyValueHeads = keys.OptionalPositiveInteger("num_key_value_heads") ?? Default(4) ?? heads,
            HeadSize = headSize,
            FeedForwardSize = keys.PositiveInteger("intermediate_size", Default(9216)),
            TieEmbeddings = keys.Flag("tie_word_embeddings", tied),
            NormEpsilon = keys.OptionalPositiveNumber("rms_norm_eps") ?? defaultEpsilon,
            Activation = ReadActivation(keys, activation),
            AttentionScale = 1 / Math.Sqrt(headSize),
            InitializerRange = keys.OptionalNumber("initializer_range") ?? 0.02,
        };
    }

    private static ModelConfig WithBiases(ConfigObject keys, ModelConfig config)
    {
        bool attention = keys.Flag("attention_bias", false);
        return config with { QueryKeyValueBias = attention, AttentionOutputBias = attention, FeedForwardBias = keys.Flag("mlp_bias", false) };
    }

    /// <summary>Some folders say of a bias that these families never have that there is none.</summary>
    private static void RequireNoBias(ConfigObject keys)
    {
        keys.Require("attention_bias", "false");
        keys.Require("mlp_bias", "false");
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

    private static Activation ReadActivation(ConfigObject keys, string key) => keys.OptionalText(key) switch
    {
        null or "silu" or "swish" => Activation.Silu,
        "gelu_pytorch_tanh" or "gelu_new" or "gelu_fast" => Activation.GeluTanh,
        "gelu" or "gelu_python" => Activation.Gelu,
        "relu" => Activation.Relu,
        "tanh" => Activation.Tanh,
        string other => throw new UnsupportedModelException(keys.Path(key), $"'{other}' is not supported; supported: silu, relu, tanh, gelu, gelu_new, gelu_pytorch_tanh."),
    };
}
