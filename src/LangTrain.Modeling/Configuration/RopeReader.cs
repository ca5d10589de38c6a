using System.Text.Json.Nodes;

namespace LangTrain.Modeling;

/// <summary>Reads rotary settings in the older spelling (<c>rope_theta</c>, <c>rope_scaling</c>) and the newer one (<c>rope_parameters</c>).</summary>
internal static class RopeReader
{
    /// <param name="keys">The config.</param>
    /// <param name="defaultTheta">Base where none is given.</param>
    /// <param name="originalByDefault">Context of pre-training where the config does not say it beside its scaling.</param>
    /// <param name="partialIsHonoured">Whether the family turns a part of each head where the config says so; the others ignore it in transformers.</param>
    public static RopeSettings Read(ConfigObject keys, double defaultTheta, int? originalByDefault = null, bool partialIsHonoured = false)
    {
        ConfigObject? newer = keys.OptionalObject("rope_parameters"), older = keys.OptionalObject("rope_scaling");
        if (newer is not null && older is not null && !JsonNode.DeepEquals(keys.Take("rope_parameters"), keys.Take("rope_scaling")))
        {
            throw new UnsupportedModelException(keys.Path("rope_scaling"), "it says something else than rope_parameters.");
        }

        double theta = keys.OptionalPositiveNumber("rope_theta") ?? defaultTheta;
        double partial = Partial(keys) ?? 1;
        RopeSettings settings = ReadScaling(keys, newer ?? older, new RopeSettings { Theta = theta, PartialFactor = partial }, originalByDefault);
        return settings.PartialFactor == 1 || partialIsHonoured
            ? settings
            : throw new UnsupportedModelException(keys.Path("partial_rotary_factor"), $"{settings.PartialFactor} is not supported in this family; supported: 1.");
    }

    /// <summary>Gemma 3 has a base of its own for sliding layers, and stretches only the others.</summary>
    public static (RopeSettings Full, RopeSettings Local) ReadGemma3(ConfigObject keys)
    {
        var full = new RopeSettings { Theta = keys.OptionalPositiveNumber("rope_theta") ?? 1_000_000 };
        var local = new RopeSettings { Theta = keys.OptionalPositiveNumber("rope_local_base_freq") ?? 10_000 };
        ConfigObject? older = keys.OptionalObject("rope_scaling");
        if (keys.OptionalObject("rope_parameters") is not { } newer)
        {
            return (ReadScaling(keys, older, full), local);
        }

        (full, local) = (ReadScaling(keys, newer.OptionalObject("full_attention"), full), ReadScaling(keys, newer.OptionalObject("sliding_attention"), local));
        // Transformers 5 writes these beside the two where a model has layers of one kind only; it reads neither.
        newer.Require("rope_type", "default");
        newer.Require("rope_theta");
        newer.RefuseTheRest();
        return local.Scaling == RopeScaling.LongRope
            ? throw new UnsupportedModelException(keys.Path("rope_parameters.sliding_attention.rope_type"), "longrope is not supported in layers with a window.")
            : (full, local);
    }

    private static double? Partial(ConfigObject keys) => keys.OptionalNumber("partial_rotary_factor") is not { } share ? null
        : share is > 0 and <= 1 ? share : throw keys.Wrong("partial_rotary_factor", "a number above 0 and up to 1");

    /// <summary>Reads one scaling object over the given defaults and refuses what it holds besides.</summary>
    private static RopeSettings ReadScaling(ConfigObject config, ConfigObject? keys, RopeSettings settings, int? originalByDefault = null)
    {
        if (keys is null)
        {
            return settings;
        }

        string? newer = keys.OptionalText("rope_type"), older = keys.OptionalText("type");
        settings = settings with
        {
            Theta = keys.OptionalPositiveNumber("rope_theta") ?? settings.Theta,
            PartialFactor = Partial(keys) ?? settings.PartialFactor,
        };

        // As in transformers: the key beside wins over the one inside, and the context length stands in for both.
        int? inner = keys.OptionalPositiveInteger("original_max_position_embeddings"), outer = config.OptionalPositiveInteger("original_max_position_embeddings") ?? originalByDefault;
        int Original() => outer ?? inner ?? config.PositiveInteger("max_position_embeddings");
        double Factor() => keys.OptionalPositiveNumber("factor") ?? throw keys.Missing("factor");

        switch (newer ?? older ?? "default")
        {
            case "default":
                break;
            case "dynamic":
                Factor(); // stretches only what is longer than max_position_embeddings, and nothing here is
                break;
            case "yarn":
                settings = Yarn(config, keys, settings, Original());
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
                throw new UnsupportedModelException(keys.Path(newer is null ? "type" : "rope_type"), $"'{other}' is not supported; supported: default, linear, dynamic, yarn, llama3, longrope.");
        }

        keys.RefuseTheRest();
        return settings;
    }

    /// <remarks>Defaults and the two ways to say the attention factor: transformers, modeling_rope_utils.py.</remarks>
    private static RopeSettings Yarn(ConfigObject config, ConfigObject keys, RopeSettings settings, int original)
    {
        double factor = keys.OptionalNumber("factor") ?? (double)config.PositiveInteger("max_position_embeddings") / original;
        double numerator = keys.OptionalNumber("mscale") ?? 0, denominator = keys.OptionalNumber("mscale_all_dim") ?? 0;
        double Scale(double strength) => factor <= 1 ? 1 : 0.1 * strength * Math.Log(factor) + 1;
        double OrDefault(string key, double otherwise) => keys.OptionalNumber(key) is { } number and not 0 ? number : otherwise;
        keys.Allow(["finetuned"]);
        return settings with
        {
            Scaling = RopeScaling.Yarn,
            Factor = factor > 0 ? factor : throw keys.Wrong("factor", "a positive number"),
            OriginalContextLength = original,
            FastTurns = OrDefault("beta_fast", 32),
            SlowTurns = OrDefault("beta_slow", 1),
            WholeDimensions = keys.Flag("truncate", true),
            AttentionFactor = keys.OptionalNumber("attention_factor") ?? (numerator != 0 && denominator != 0 ? Scale(numerator) / Scale(denominator) : Scale(1)),
        };
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
