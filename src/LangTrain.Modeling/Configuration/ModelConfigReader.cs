using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LangTrain.Modeling;

/// <summary>Turns config.json into a <see cref="ModelConfig"/>: chooses the family, refuses what nobody honours, joins the token ids of both files.</summary>
internal static class ModelConfigReader
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    private const string Families = "llama, mistral, qwen2, qwen3, gemma2, gemma3, gemma3_text, phi3, smollm3, granite, olmo2, gpt2";

    /// <summary>Keys that never change what a forward pass computes here: bookkeeping, generation defaults, regularization of the original training.</summary>
    private static readonly string[] s_harmless =
    [
        "architectures", "model_type", "torch_dtype", "dtype", "transformers_version", "use_cache", "initializer_range", "auto_map", "name_or_path", "_name_or_path", "_attn_implementation", "_attn_implementation_autoset", "_flash_attn_2_enabled", "_commit_hash",
        "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "cls_token_id", "decoder_start_token_id", "is_decoder", "is_encoder_decoder",
        "attention_dropout", "attn_pdrop", "embd_pdrop", "resid_pdrop", "summary_activation", "summary_first_dropout", "summary_proj_to_labels",
        "summary_type", "summary_use_proj", "pretraining_tp", "output_attentions", "output_hidden_states", "output_past", "return_dict", "torchscript", "use_bfloat16",
        "tf_legacy_loss", "pruned_heads", "tokenizer_class", "prefix", "problem_type", "finetuning_task", "id2label", "label2id", "num_labels", "task_specific_params",
        "gradient_checkpointing", "chunk_size_feed_forward", "return_dict_in_generate", "remove_invalid_values", "forced_bos_token_id", "forced_eos_token_id",
        "suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
        "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
        "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty", "num_return_sequences", "output_scores", "cache_implementation", "unsloth_fixed", "unsloth_version", "_num_labels", "is_llama_config", "transformers.js_config", "max_sequence_length", "n_special", "predict_special_tokens",
    ];

    public static ModelConfig Read(string json, string? generationJson)
    {
        JsonObject root = ParseObject(json, "config.json");
        bool isTextPart = false;
        if ((root["model_type"] as JsonValue)?.ToString() == "gemma3")
        {
            JsonObject text = root["text_config"] as JsonObject ?? throw new InvalidDataException("config.json: 'text_config' is missing, or is no object.");
            // Gemma 3 with vision: the text model is a model of its own, nested; its vision tower is not loaded.
            (root, isTextPart) = (TextModel(root, text), true);
            json = root.ToJsonString(s_indented);
        }

        ConfigObject keys = new(root, isTextPart ? "text_config." : "");
        string type = keys.OptionalText("model_type") ?? throw keys.Missing("model_type");
        keys.Allow(s_harmless);
        keys.Require("quantization_config");
        keys.Require("is_encoder_decoder", "false");
        keys.Require("add_cross_attention", "false");
        keys.Require("cross_attention_hidden_size");
        keys.Require("tie_encoder_decoder", "false");
        keys.Require("rope_interleaved", "false");

        ModelConfig config = type switch
        {
            "llama" => ModelFamilies.Llama(keys, json, type),
            "mistral" => ModelFamilies.Mistral(keys, json, type),
            "qwen2" => ModelFamilies.Qwen2(keys, json, type),
            "qwen3" => ModelFamilies.Qwen3(keys, json, type),
            "gemma2" => ModelFamilies.Gemma2(keys, json, type),
            "gemma3_text" => ModelFamilies.Gemma3(keys, json, type),
            "phi3" => ModelFamilies.Phi3(keys, json, type),
            "smollm3" => ModelFamilies.SmolLm3(keys, json, type),
            "granite" => ModelFamilies.Granite(keys, json, type),
            "olmo2" => ModelFamilies.Olmo2(keys, json, type),
            "gpt2" => ModelFamilies.Gpt2(keys, json, type),
            _ => throw new UnsupportedModelException("model_type", $"'{type}' is not supported; supported: {Families}."),
        };
        keys.RefuseTheRest();
        return WithTokens(Validated(config with { IsTextPart = isTextPart }), keys, generationJson);
    }

    private static ModelConfig Validated(ModelConfig config)
    {
        if (config.QueryHeads % config.KeyValueHeads != 0)
        {
            throw new InvalidDataException($"config.json: 'num_key_value_heads' {config.KeyValueHeads} does not divide 'num_attention_heads' {config.QueryHeads}.");
        }

        // Far beyond every model, and so small that no number of elements overflows.
        foreach ((string key, long size) in (ReadOnlySpan<(string, long)>)[("vocab_size", config.VocabularySize), ("hidden_size", config.HiddenSize), ("intermediate_size", config.FeedForwardSize), ("num_attention_heads, head_dim", (long)config.QueryHeads * config.HeadSize)])
        {
            if (size > 1 << 26)
            {
                throw new InvalidDataException($"config.json: '{key}' makes {size}; expected at most {1 << 26}.");
            }
        }

        if (config.Rope is { Scaling: RopeScaling.Yarn } yarn)
        {
            // Folders say how long the stretched context is, or only how long it was.
            config = config with { ContextLength = (int)Math.Max(config.ContextLength, Math.Min(yarn.Factor * yarn.OriginalContextLength, int.MaxValue)) };
        }

        if (config.Rope is { Scaling: RopeScaling.LongRope } longRope && RotaryEmbedding.RotatedSize(longRope, config.HeadSize) / 2 is var pairs && (longRope.ShortFactors.Count != pairs || longRope.LongFactors.Count != pairs))
        {
            throw new InvalidDataException($"config.json: 'rope_scaling' has {longRope.ShortFactors.Count} short_factor and {longRope.LongFactors.Count} long_factor; expected {pairs} each.");
        }

        return config.Rope is null || config.HeadSize % 2 == 0 ? config : throw new InvalidDataException($"config.json: 'head_dim' {config.HeadSize} is odd; rotary embeddings need an even one.");
    }

    private static ModelConfig WithTokens(ModelConfig config, ConfigObject keys, string? generationJson)
    {
        List<int> eos = [.. keys.TokenIds("eos_token_id")];
        if (generationJson is not null)
        {
            eos.AddRange(new ConfigObject(ParseObject(generationJson, "generation_config.json"), file: "generation_config.json").TokenIds("eos_token_id"));
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

    private static JsonObject TextModel(JsonObject root, JsonObject text)
    {
        if (text["final_logit_softcapping"] is not null)
        {
            throw new UnsupportedModelException("text_config.final_logit_softcapping", "the class with vision reads this key and does not use it, the one without vision does: it has to be absent or null.");
        }

        var result = (JsonObject)text.DeepClone();
        result["model_type"] = "gemma3_text";
        result["architectures"] = new JsonArray("Gemma3ForCausalLM");
        foreach (string key in (string[])["bos_token_id", "eos_token_id", "pad_token_id", "torch_dtype", "dtype", "tie_word_embeddings", "quantization_config"])
        {
            // What ends a turn is said by the outer one; transformers 5 writes the family's default into the inner one.
            if (root[key] is { } value && (result[key] is null || key == "eos_token_id"))
            {
                result[key] = value.DeepClone();
            }
        }

        return result;
    }

    /// <exception cref="InvalidDataException">No JSON object, or a key twice.</exception>
    internal static JsonObject ParseObject(string json, string file) =>
        ModelJson.ParseNode(Encoding.UTF8.GetBytes(json), file) as JsonObject ?? throw new InvalidDataException($"{file} is not a JSON object.");
}
