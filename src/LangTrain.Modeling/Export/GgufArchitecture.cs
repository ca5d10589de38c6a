namespace LangTrain.Modeling;

/// <summary>llama.cpp's names for what a <see cref="ModelConfig"/> says, and the limits of what it can be told.</summary>
internal static class GgufArchitecture
{
    private static readonly (string Ours, string Theirs)[] s_parts =
    [
        ("model.embed_tokens", "token_embd"), ("model.norm", "output_norm"), ("lm_head", "output"), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"), ("self_attn.qkv_proj", "attn_qkv"), ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"), ("mlp.gate_up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"),
        ("input_layernorm", "attn_norm"), ("pre_feedforward_layernorm", "ffn_norm"), ("post_feedforward_layernorm", "post_ffw_norm"),
        ("transformer.wte", "token_embd"), ("transformer.wpe", "position_embd"), ("transformer.ln_f", "output_norm"), ("ln_1", "attn_norm"), ("attn.c_attn", "attn_qkv"),
        ("attn.c_proj", "attn_output"), ("ln_2", "ffn_norm"), ("mlp.c_fc", "ffn_up"), ("mlp.c_proj", "ffn_down"),
    ];

    public static string Name(ModelConfig config) => config.ModelType switch
    {
        "llama" or "mistral" => "llama",
        "gemma3_text" => "gemma3",
        string other => other,
    };

    /// <summary>llama.cpp turns pairs of neighbours in these; in all others the halves of a head, as checkpoints do.</summary>
    public static bool TurnsNeighbours(ModelConfig config) => Name(config) is "llama" or "smollm3" or "granite";

    /// <exception cref="UnsupportedModelException">llama.cpp would compute something else.</exception>
    public static void Describe(ModelConfig config, GgufFile file)
    {
        Refuse(config);
        string prefix = Name(config) + ".";
        file.Add(prefix + "context_length", (uint)ContextLength(config));
        file.Add(prefix + "embedding_length", (uint)config.HiddenSize);
        file.Add(prefix + "block_count", (uint)config.LayerCount);
        file.Add(prefix + "feed_forward_length", (uint)config.FeedForwardSize);
        file.Add(prefix + "attention.head_count", (uint)config.QueryHeads);
        file.Add(prefix + "attention.head_count_kv", (uint)config.KeyValueHeads);
        file.Add(prefix + "vocab_size", (uint)config.VocabularySize);
        if (config.Rope is not { } rope)
        {
            file.Add(prefix + "attention.layer_norm_epsilon", (float)config.NormEpsilon);
            return;
        }

        file.Add(prefix + "attention.layer_norm_rms_epsilon", (float)config.NormEpsilon);
        file.Add(prefix + "attention.key_length", (uint)config.HeadSize);
        file.Add(prefix + "attention.value_length", (uint)config.HeadSize);
        file.Add(prefix + "rope.dimension_count", (uint)(2 * RotaryEmbedding.Frequencies(rope, config.HeadSize).Length));
        file.Add(prefix + "rope.freq_base", (float)rope.Theta);
        if (config.LocalRope is { } local)
        {
            file.Add(prefix + "rope.freq_base_swa", (float)local.Theta);
        }

        if (rope.Scaling == RopeScaling.Linear)
        {
            file.Add(prefix + "rope.scaling.type", "linear");
            file.Add(prefix + "rope.scaling.factor", (float)rope.Factor);
        }
        else if (rope.Scaling == RopeScaling.Yarn)
        {
            file.Add(prefix + "rope.scaling.type", "yarn");
            file.Add(prefix + "rope.scaling.factor", (float)rope.Factor);
            file.Add(prefix + "rope.scaling.original_context_length", (uint)rope.OriginalContextLength);
            file.Add(prefix + "rope.scaling.yarn_beta_fast", (float)rope.FastTurns);
            file.Add(prefix + "rope.scaling.yarn_beta_slow", (float)rope.SlowTurns);
        }
        else if (rope.Scaling == RopeScaling.LongRope)
        {
            file.Add(prefix + "rope.scaling.original_context_length", (uint)rope.OriginalContextLength);
            file.Add(prefix + "rope.scaling.attn_factor", (float)rope.AttentionFactor);
        }

        if (config.ModelType == "granite")
        {
            file.Add(prefix + "attention.scale", (float)config.AttentionScale);
            file.Add(prefix + "embedding_scale", (float)config.EmbeddingScale);
            file.Add(prefix + "residual_scale", (float)config.ResidualScale);
            file.Add(prefix + "logit_scale", (float)(1 / config.OutputScale));
        }

        if (config.Norms == NormPlacement.Around && config.SlidingWindow is { } window)
        {
            file.Add(prefix + "attention.sliding_window", (uint)window);
            file.Add(prefix + "attention.sliding_window_pattern", (uint)Period(config)!.Value);
        }

        if (config.AttentionSoftCap is { } attentionCap)
        {
            file.Add(prefix + "attn_logit_softcapping", (float)attentionCap);
        }

        if (config.LogitSoftCap is { } logitCap)
        {
            file.Add(prefix + "final_logit_softcapping", (float)logitCap);
        }
    }

    /// <summary>Divisors of the rotary frequencies that llama.cpp wants as tensors.</summary>
    public static IEnumerable<(string Name, float[] Factors)> RopeFactors(ModelConfig config)
    {
        if (config.Rope is { Scaling: RopeScaling.Llama3 } llama3)
        {
            double[] plain = RotaryEmbedding.Frequencies(llama3 with { Scaling = RopeScaling.None }, config.HeadSize), scaled = RotaryEmbedding.Frequencies(llama3, config.HeadSize);
            yield return ("rope_freqs.weight", [.. plain.Zip(scaled, (one, other) => (float)(one / other))]);
        }
        else if (config.Rope is { Scaling: RopeScaling.LongRope } longRope)
        {
            yield return ("rope_factors_long.weight", [.. longRope.LongFactors.Select(factor => (float)factor)]);
            yield return ("rope_factors_short.weight", [.. longRope.ShortFactors.Select(factor => (float)factor)]);
        }
    }

    public static string TensorName(ModelConfig config, string name)
    {
        int dot = name.LastIndexOf('.');
        string module = name[..dot], suffix = name[dot..], block = "";
        string[] parts = module.Split('.');
        if (parts.Length > 3 && (parts[1] is "layers" or "h"))
        {
            block = $"blk.{parts[2]}.";
            module = string.Join('.', parts[3..]);
        }

        // Gemma and OLMo norm what comes out of attention; elsewhere this norm is the feed-forward block's.
        string theirs = module == "post_attention_layernorm" ? config.Norms == NormPlacement.Before ? "ffn_norm" : "post_attention_norm" : s_parts.First(part => part.Ours == module).Theirs;
        return block + theirs + suffix;
    }

    /// <summary>llama.cpp attends to everything where these families have a window: within the window that is the same, so that is as far as the file goes.</summary>
    private static int ContextLength(ModelConfig config) =>
        config.Norms != NormPlacement.Around && config.SlidingWindow is { } window ? Math.Min(window, config.ContextLength) : config.ContextLength;

    /// <summary>p where of every p layers the last is full and the others slide; null where there is no such p.</summary>
    private static int? Period(ModelConfig config)
    {
        int first = config.SlidingLayers.ToList().IndexOf(false);
        int period = first < 0 ? config.LayerCount + 1 : first + 1;
        return config.SlidingLayers.Select((sliding, layer) => sliding == ((layer + 1) % period != 0)).All(fits => fits) ? period : null;
    }

    private static void Refuse(ModelConfig config)
    {
        static UnsupportedModelException No(string what) => new(null, $"This model cannot be exported as GGUF: {what}");
        if (config.Rope is { PartialFactor: not 1 } && config.ModelType is not "phi3")
        {
            throw No("llama.cpp turns whole heads in this family.");
        }

        Activation expected = config.ModelType is "gemma2" or "gemma3_text" or "gpt2" ? Activation.GeluTanh : Activation.Silu;
        if (config.Activation != expected)
        {
            throw No($"llama.cpp computes this family with {expected}, the model with {config.Activation}.");
        }

        if (config.ModelType == "gpt2" && (config.ScalesAttentionByLayer || config.AttentionScale == 1))
        {
            throw No("llama.cpp has no setting for GPT-2's scale_attn_weights and scale_attn_by_inverse_layer_idx.");
        }

        if (config.Rope is { Scaling: RopeScaling.Yarn } yarn && (!yarn.WholeDimensions || Math.Abs(yarn.AttentionFactor - (yarn.Factor <= 1 ? 1 : 1 + 0.1 * Math.Log(yarn.Factor))) > 1e-6))
        {
            throw No("llama.cpp knows yarn with its default attention factor and whole dimensions only.");
        }

        if (config.Rope is { Scaling: RopeScaling.LongRope } && config.ModelType != "phi3")
        {
            throw No("llama.cpp knows longrope in Phi-3 only.");
        }

        if (config.Rope is { Scaling: RopeScaling.Llama3 } && config.ModelType is not ("llama" or "mistral"))
        {
            throw No("llama.cpp knows Llama 3's rotary scaling in Llama only.");
        }

        if (config.ModelType == "phi3" && config.HeadSize * config.QueryHeads != config.HiddenSize)
        {
            throw No("llama.cpp takes Phi-3's head size from hidden_size / num_attention_heads.");
        }

        if (config.ModelType == "smollm3" && Enumerable.Range(0, config.LayerCount).Any(layer => config.IsRotary(layer) != ((layer + 1) % 4 != 0)))
        {
            throw No("llama.cpp turns all but every fourth layer of SmolLM3.");
        }

        if (config.ModelType is not ("llama" or "mistral" or "gpt2") && (config.AttentionOutputBias || config.FeedForwardBias))
        {
            throw No("llama.cpp knows no such biases in this family.");
        }

        if (config.Norms != NormPlacement.Around)
        {
            return;
        }

        // llama.cpp derives the scale: from the head size, and for the 27B models (told by their depth) from hidden size / heads.
        bool isLargest = config.LayerCount == (config.ModelType == "gemma2" ? 46 : 62);
        double scale = 1 / Math.Sqrt(isLargest ? config.HiddenSize / config.QueryHeads : config.HeadSize);
        if (Math.Abs(config.AttentionScale / scale - 1) > 1e-6)
        {
            throw No("llama.cpp derives Gemma's query_pre_attn_scalar from the sizes, and gets another one.");
        }

        if (Period(config) is null)
        {
            throw No("llama.cpp knows only regular patterns of sliding and full layers.");
        }

        if (config.LocalRope is { Scaling: not RopeScaling.None } || (config.ModelType == "gemma2" && (config.AttentionSoftCap is null || config.LogitSoftCap is null)))
        {
            throw No("llama.cpp has no setting for this family's local rotary scaling or for absent soft caps.");
        }
    }
}
