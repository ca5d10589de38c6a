namespace LangTrain.Modeling;

/// <summary>Reads rotary settings in the older spelling (<c>rope_theta</c>, <c>rope_scaling</c>) and the newer one (<c>rope_parameters</c>).</summary>
internal static class RopeReader
{
    public static RopeSettings Read(ConfigObject keys, double defaultTheta)
    {
        ConfigObject? newer = keys.OptionalObject("rope_parameters"), older = keys.OptionalObject("rope_scaling");
        double theta = keys.OptionalNumber("rope_theta") ?? defaultTheta;
        double partial = keys.OptionalNumber("partial_rotary_factor") ?? 1;
        return ReadScaling(keys, newer ?? older, new RopeSettings { Theta = theta, PartialFactor = partial });
    }

    /// <summary>Gemma 3 has a base of its own for sliding layers, and stretches only the others.</summary>
    public static (RopeSettings Full, RopeSettings Local) ReadGemma3(ConfigObject keys)
    {
        var full = new RopeSettings { Theta = keys.OptionalNumber("rope_theta") ?? 1_000_000 };
        var local = new RopeSettings { Theta = keys.OptionalNumber("rope_local_base_freq") ?? 10_000 };
        ConfigObject? older = keys.OptionalObject("rope_scaling");
        if (keys.OptionalObject("rope_parameters") is not { } newer)
        {
            return (ReadScaling(keys, older, full), local);
        }

        (full, local) = (ReadScaling(keys, newer.OptionalObject("full_attention"), full), ReadScaling(keys, newer.OptionalObject("sliding_attention"), local));
        newer.RefuseTheRest();
        return (full, local);
    }

    /// <summary>Reads one scaling object over the given defaults and refuses what it holds besides.</summary>
    public static RopeSettings ReadScaling(ConfigObject config, ConfigObject? keys, RopeSettings settings)
    {
        if (keys is null)
        {
            return settings;
        }

        string? newer = keys.OptionalText("rope_type"), older = keys.OptionalText("type");
        settings = settings with
        {
            Theta = keys.OptionalNumber("rope_theta") ?? settings.Theta,
            PartialFactor = keys.OptionalNumber("partial_rotary_factor") ?? settings.PartialFactor,
        };
        int Original() => keys.OptionalPositiveInteger("original_max_position_embeddings") ?? config.OptionalPositiveInteger("original_max_position_embeddings")
            ?? throw keys.Missing("original_max_position_embeddings");
        double Factor() => keys.OptionalNumber("factor") is { } factor ? factor > 0 ? factor : throw keys.Wrong("factor", "a positive number") : throw keys.Missing("factor");

        switch (newer ?? older ?? "default")
        {
            case "default":
                break;
            case "linear":
                settings = settings with { Scaling = RopeScaling.Linear, Factor = Factor() };
                break;
            case "llama3":
                settings = settings with
                {
                    Scaling = RopeScaling.Llama3,
                    Factor = Factor(),
                    LowFrequencyFactor = keys.OptionalNumber("low_freq_factor") ?? throw keys.Missing("low_freq_factor"),
                    HighFrequencyFactor = keys.OptionalNumber("high_freq_factor") ?? throw keys.Missing("high_freq_factor"),
                    OriginalContextLength = Original(),
                };
                break;
            case "longrope" or "su":
                settings = LongRope(config, keys, settings, Original());
                break;
            case string other:
                throw new UnsupportedModelException(keys.Path(newer is null ? "type" : "rope_type"), $"'{other}' is not supported; supported: default, linear, llama3, longrope.");
        }

        keys.RefuseTheRest();
        return settings;
    }

    private static RopeSettings LongRope(ConfigObject config, ConfigObject keys, RopeSettings settings, int original)
    {
        // The factor is the ratio of the two context lengths, unless it is given (transformers, modeling_rope_utils.py).
        double factor = keys.OptionalNumber("factor") ?? (double)config.PositiveInteger("max_position_embeddings", original) / original;
        return settings with
        {
            Scaling = RopeScaling.LongRope,
            OriginalContextLength = original,
            ShortFactors = keys.Numbers("short_factor"),
            LongFactors = keys.Numbers("long_factor"),
            AttentionFactor = keys.OptionalNumber("attention_factor") ?? (factor <= 1 ? 1 : Math.Sqrt(1 + Math.Log(factor) / Math.Log(original))),
        };
    }
}
