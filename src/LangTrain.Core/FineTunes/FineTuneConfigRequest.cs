using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Http;

namespace LangTrain.Core.FineTunes;

/// <summary>Reads <c>config</c> of a request: every key checked, every default filled in.</summary>
internal static class FineTuneConfigRequest
{
    private static readonly string[] Methods = ["lora", "qlora", "full"];

    /// <summary>Reads it; what is wrong is noted in the request's problems.</summary>
    /// <param name="config">The object, or null where it was left out.</param>
    public static FineTuneConfig FromRequest(RequestObject? config)
    {
        var defaults = new FineTuneConfig();
        if (config is null)
        {
            return defaults;
        }

        var method = config.OneOf("method", Methods) ?? defaults.Method;
        var objective = config.OneOf("objective", "sft", "text", "dpo") ?? defaults.Objective;
        var beta = config.Number("beta", 0, 100, excludeMin: true);
        if (beta is not null && objective != "dpo")
        {
            config.Problems.Add(config.At("beta"), $"{config.At("beta")} belongs to objective 'dpo'; the objective is '{objective}'.");
        }

        var read = defaults with
        {
            Method = method,
            Objective = objective,
            Beta = beta ?? defaults.Beta,
            LoraConfig = Lora(config.Object("lora_config"), defaults.LoraConfig),
            TrainingConfig = Training(config.Object("training_config"), defaults.TrainingConfig),
        };
        if (objective == "dpo" && read.TrainingConfig.Packing)
        {
            config.Problems.Add(config.At("training_config.packing"), $"{config.At("training_config.packing")} is not possible with objective 'dpo': the two answers of a pair need a row each.");
        }

        if (objective == "dpo" && read.TrainingConfig.LossOn != defaults.TrainingConfig.LossOn)
        {
            config.Problems.Add(config.At("training_config.loss_on"), $"{config.At("training_config.loss_on")} 'all' is not possible with objective 'dpo', which compares answers.");
        }

        config.RefuseUnknownKeys();
        return read;
    }

    private static LoraConfig Lora(RequestObject? lora, LoraConfig defaults)
    {
        if (lora is null)
        {
            return defaults;
        }

        var r = lora.Int32("r", 1, 512) ?? defaults.R;
        var read = defaults with
        {
            R = r,
            // Twice the rank unless said otherwise, so that another rank keeps the default's scale.
            Alpha = lora.Number("alpha", 0, 4096, excludeMin: true) ?? 2.0 * r,
            Dropout = lora.Number("dropout", 0, 1, excludeMax: true) ?? defaults.Dropout,
            TargetModules = Targets(lora) ?? defaults.TargetModules,
            UseRslora = lora.Flag("use_rslora") ?? defaults.UseRslora,
            UseDora = lora.Flag("use_dora") ?? defaults.UseDora,
        };
        lora.RefuseUnknownKeys();
        return read;
    }

    private static IReadOnlyList<string>? Targets(RequestObject lora)
    {
        lora.Takes("target_modules", """{"anyOf":[{"const":"all-linear"},{"type":"array","minItems":1,"maxItems":64,"items":{"type":"string","maxLength":128}}]}""");
        if (lora.Find("target_modules") is { ValueKind: System.Text.Json.JsonValueKind.String } word)
        {
            if (word.GetString() == "all-linear")
            {
                return ["all-linear"];
            }

            lora.Problems.Add(lora.At("target_modules"), $"{lora.At("target_modules")} must be a list of layer names such as ['q_proj', 'v_proj'], or 'all-linear'.");
            return null;
        }

        return lora.Texts("target_modules", maxCount: 64, maxLength: 128, minCount: 1);
    }

    private static TrainingConfig Training(RequestObject? training, TrainingConfig defaults)
    {
        if (training is null)
        {
            return defaults;
        }

        var read = defaults with
        {
            Epochs = training.Int32("epochs", 1, 100) ?? defaults.Epochs,
            MaxSteps = training.Int32("max_steps", 1, 10_000_000),
            BatchSize = training.Int32("batch_size", 1, 1024) ?? defaults.BatchSize,
            GradientAccumulationSteps = training.Int32("gradient_accumulation_steps", 1, 1024) ?? defaults.GradientAccumulationSteps,
            LearningRate = training.Number("learning_rate", 0, 1, excludeMin: true) ?? defaults.LearningRate,
            LrScheduler = training.OneOf("lr_scheduler", "cosine", "linear", "constant") ?? defaults.LrScheduler,
            WarmupRatio = training.Number("warmup_ratio", 0, 1) ?? defaults.WarmupRatio,
            WarmupSteps = training.Int32("warmup_steps", 0, 10_000_000),
            WeightDecay = training.Number("weight_decay", 0, 1) ?? defaults.WeightDecay,
            MaxGradNorm = training.Number("max_grad_norm", 0, 1e6) ?? defaults.MaxGradNorm,
            MaxSeqLength = training.Int32("max_seq_length", 8, 1_048_576),
            OverlongRows = training.OneOf("overlong_rows", "truncate", "drop", "error") ?? defaults.OverlongRows,
            Packing = training.Flag("packing") ?? defaults.Packing,
            ComputeDtype = training.OneOf("compute_dtype", "auto", "float32", "bfloat16") ?? defaults.ComputeDtype,
            ActivationCheckpointing = training.Flag("activation_checkpointing") ?? defaults.ActivationCheckpointing,
            Seed = training.Integer("seed", 0, long.MaxValue) ?? defaults.Seed,
            EvalSplit = training.Number("eval_split", 0, 0.5) ?? defaults.EvalSplit,
            EvalSteps = training.Int32("eval_steps", 1, 10_000_000),
            SaveSteps = training.Int32("save_steps", 1, 10_000_000),
            UseBestCheckpoint = training.Flag("use_best_checkpoint") ?? defaults.UseBestCheckpoint,
            EarlyStopping = EarlyStopping(training.Object("early_stopping")),
            LossOn = training.OneOf("loss_on", "completion", "all") ?? defaults.LossOn,
        };
        training.RefuseUnknownKeys();
        return read;
    }

    private static EarlyStoppingConfig? EarlyStopping(RequestObject? early)
    {
        if (early is null)
        {
            return null;
        }

        var read = new EarlyStoppingConfig(early.Int32("patience", 1, 1000) ?? 3, early.Number("min_delta", 0, 100) ?? 0);
        early.RefuseUnknownKeys();
        return read;
    }
}
