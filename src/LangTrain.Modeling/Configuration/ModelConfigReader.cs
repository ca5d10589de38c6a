using System.Text.Json;
using System.Text.Json.Nodes;

namespace LangTrain.Modeling;

/// <summary>Turns config.json of each supported family into a <see cref="ModelConfig"/>; the one place that knows the families' spellings and defaults.</summary>
internal static class ModelConfigReader
{
    /// <summary>Keys that never change what a forward pass computes here: bookkeeping, generation defaults, regularization of the original training.</summary>
    private static readonly string[] s_harmless =
    [
        "architectures", "model_type", "torch_dtype", "dtype", "transformers_version", "use_cache", "initializer_range", "auto_map", "name_or_path",
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
        ConfigObject keys = new(ParseObject(json, "config.json"));
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
            _ => throw new UnsupportedModelException("model_type", $"'{type}' is not supported; supported: llama."),
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

    /// <summary>What the families with Llama's spelling share.</summary>
    private static ModelConfig Common(ConfigObject keys, string json, string type, string activation = "hidden_act", bool tied = false)
    {
        int hidden = keys.PositiveInteger("hidden_size");
        int heads = keys.PositiveInteger("num_attention_heads");
        int headSize = keys.OptionalPositiveInteger("head_dim") ?? (hidden % heads == 0 ? hidden / heads : throw keys.Wrong("num_attention_heads", $"a divisor of hidden_size {hidden}"));
        return new ModelConfig
        {
            ModelType = type,
            Json = json,
            ContextLength = keys.OptionalPositiveInteger("max_position_embeddings") ?? 2048,
            VocabularySize = keys.PositiveInteger("vocab_size"),
            HiddenSize = hidden,
            LayerCount = keys.PositiveInteger("num_hidden_layers"),
            QueryHeads = heads,
            KeyValueHeads = keys.OptionalPositiveInteger("num_key_value_heads") ?? heads,
            HeadSize = headSize,
            FeedForwardSize = keys.PositiveInteger("intermediate_size"),
            TieEmbeddings = keys.Flag("tie_word_embeddings", tied),
            NormEpsilon = keys.OptionalNumber("rms_norm_eps") ?? 1e-6,
            Activation = ReadActivation(keys, activation),
            AttentionScale = 1 / Math.Sqrt(headSize),
            InitializerRange = keys.OptionalNumber("initializer_range") ?? 0.02,
        };
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
