using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;

namespace LangTrain.Core.FineTunes;

/// <summary>Reads <c>POST /fine-tunes</c> as the <c>together-ai</c> client sends it, flat and with <c>training_file</c>: each parameter is honoured or refused by name.</summary>
/// <remarks>What is left out has this product's defaults.</remarks>
public static class TogetherFineTuneRequest
{
    private static readonly string[] Unsupported =
    [
        "from_checkpoint", "from_hf_model", "hf_api_token", "hf_model_revision", "hf_output_repo_name", "multimodal_params", "early_stopping_warmup_evals",
        "wandb_api_key", "wandb_base_url", "wandb_entity", "wandb_name", "wandb_project_name",
    ];

    /// <summary>Whether a body is of this kind.</summary>
    public static bool IsOne(RequestObject body)
    {
        ArgumentNullException.ThrowIfNull(body);
        return body.Element.TryGetProperty("training_file", out _);
    }

    /// <summary>Reads a request's body.</summary>
    /// <exception cref="ApiException">400 with all that is wrong.</exception>
    public static FineTuneRequest FromRequest(RequestObject body)
    {
        ArgumentNullException.ThrowIfNull(body);
        var defaults = new FineTuneConfig();
        var epochs = body.Int32("n_epochs", 1, 100) ?? defaults.TrainingConfig.Epochs;
        var validation = body.Text("validation_file", 128, 1);
        RefuseCounts(body, epochs, validation is not null);
        var config = ReadMethod(body, ReadType(body, defaults));
        var training = defaults.TrainingConfig with
        {
            Epochs = epochs,
            BatchSize = ReadBatchSize(body) ?? defaults.TrainingConfig.BatchSize,
            GradientAccumulationSteps = body.Int32("gradient_accumulation_steps", 1, 1024) ?? defaults.TrainingConfig.GradientAccumulationSteps,
            LearningRate = body.Number("learning_rate", 0, 1, excludeMin: true) ?? defaults.TrainingConfig.LearningRate,
            LrScheduler = ReadScheduler(body) ?? defaults.TrainingConfig.LrScheduler,
            WarmupRatio = body.Number("warmup_ratio", 0, 1) ?? defaults.TrainingConfig.WarmupRatio,
            MaxGradNorm = body.Number("max_grad_norm", 0, 1e6) ?? defaults.TrainingConfig.MaxGradNorm,
            WeightDecay = body.Number("weight_decay", 0, 1) ?? defaults.TrainingConfig.WeightDecay,
            MaxSeqLength = body.Int32("max_seq_length", 8, 1_048_576),
            Packing = body.Flag("packing") ?? defaults.TrainingConfig.Packing,
            Seed = body.Integer("random_seed", 0, long.MaxValue) ?? defaults.TrainingConfig.Seed,
            EarlyStopping = ReadEarlyStopping(body),
            LossOn = config.TrainingConfig.LossOn,
        };
        if (config.Objective == "dpo" && training.Packing)
        {
            body.Problems.Add("packing", "packing is not possible with the method 'dpo'.");
        }

        foreach (var key in Unsupported.Where(body.Has))
        {
            body.Problems.Add(key, $"{key} is not supported.", "unsupported_parameter");
        }

        var request = new FineTuneRequest(
            body.RequireText("model", 256),
            new DatasetReference(null, body.RequireText("training_file", 128), validation),
            config with { TrainingConfig = training },
            Name: null,
            FineTuneRequest.ReadSuffix(body),
            new Dictionary<string, string>());
        body.RefuseUnknownKeys();
        body.Problems.ThrowIfAny();
        return request;
    }

    // Checkpoints are stored by time and at the end, evaluations come once an epoch: other numbers of them are not promised.
    private static void RefuseCounts(RequestObject body, int epochs, bool hasValidation)
    {
        if (body.Int32("n_checkpoints", 0, 100) is > 1)
        {
            body.Problems.Add("n_checkpoints", "n_checkpoints may be 1 here; config.training_config.save_steps of this API's own request says how often to store.", "unsupported_parameter");
        }

        if (body.Int32("n_evals", 0, 100) is { } evaluations && evaluations != (hasValidation ? epochs : 0))
        {
            body.Problems.Add("n_evals", $"n_evals may be {(hasValidation ? "n_epochs, since evaluations come once an epoch" : "0 without a validation_file")}.", "unsupported_parameter");
        }
    }

    private static int? ReadBatchSize(RequestObject body)
    {
        body.Takes("batch_size", """{"anyOf":[{"const":"max"},{"type":"integer","minimum":1,"maximum":1024}]}""");
        return body.Find("batch_size") is { ValueKind: System.Text.Json.JsonValueKind.String } word && word.GetString() == "max" ? null : body.Int32("batch_size", 1, 1024);
    }

    private static string? ReadScheduler(RequestObject body)
    {
        if (body.Object("lr_scheduler") is not { } scheduler)
        {
            return null;
        }

        var type = scheduler.OneOf("lr_scheduler_type", "linear", "cosine");
        if (scheduler.Object("lr_scheduler_args") is { } arguments)
        {
            if (arguments.Number("min_lr_ratio", 0, 1) is > 0)
            {
                arguments.Problems.Add(arguments.At("min_lr_ratio"), $"{arguments.At("min_lr_ratio")} must be 0: the learning rate falls to nothing.", "unsupported_parameter");
            }

            if (arguments.Number("num_cycles", 0, 100) is { } cycles and not 0.5)
            {
                arguments.Problems.Add(arguments.At("num_cycles"), FormattableString.Invariant($"{arguments.At("num_cycles")} must be 0.5, half a wave, not {cycles}."), "unsupported_parameter");
            }

            arguments.RefuseUnknownKeys();
        }

        scheduler.RefuseUnknownKeys();
        return type;
    }

    private static EarlyStoppingConfig? ReadEarlyStopping(RequestObject body)
    {
        var wanted = body.Flag("early_stopping_enabled") ?? false;
        var stopping = new EarlyStoppingConfig(body.Int32("early_stopping_patience", 1, 1000) ?? 3, body.Number("early_stopping_min_delta", 0, 100) ?? 0);
        return wanted ? stopping : null;
    }

    private static FineTuneConfig ReadType(RequestObject body, FineTuneConfig config)
    {
        if (body.Object("training_type") is not { } type)
        {
            return config;
        }

        if (!type.Has("type"))
        {
            type.Missing("type");
        }

        var kind = type.OneOf("type", "Lora", "Full");
        var rank = type.Int32("lora_r", 1, 512);
        var lora = config.LoraConfig with
        {
            R = rank ?? config.LoraConfig.R,
            Alpha = type.Number("lora_alpha", 0, 4096, excludeMin: true) ?? 2.0 * (rank ?? config.LoraConfig.R),
            Dropout = type.Number("lora_dropout", 0, 1, excludeMax: true) ?? config.LoraConfig.Dropout,
            TargetModules = type.Text("lora_trainable_modules", 4096, 1)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? config.LoraConfig.TargetModules,
        };
        type.RefuseUnknownKeys();
        return config with { Method = kind == "Full" ? "full" : "lora", LoraConfig = lora };
    }

    private static FineTuneConfig ReadMethod(RequestObject body, FineTuneConfig config)
    {
        var onAll = ReadTrainOnInputs(body);
        if (body.Object("training_method") is { } method)
        {
            if (!method.Has("method"))
            {
                method.Missing("method");
            }

            var kind = method.OneOf("method", "sft", "dpo");
            onAll |= ReadTrainOnInputs(method);
            var beta = method.Number("dpo_beta", 0, 100, excludeMin: true);
            foreach (var key in ((string[])["dpo_normalize_logratios_by_length", "dpo_reference_free", "rpo_alpha", "simpo_gamma"]).Where(method.Has))
            {
                method.Problems.Add(method.At(key), $"{method.At(key)} is not supported.", "unsupported_parameter");
            }

            method.RefuseUnknownKeys();
            config = kind == "dpo" ? config with { Objective = "dpo", Beta = beta ?? config.Beta } : config;
        }

        return onAll ? config with { TrainingConfig = config.TrainingConfig with { LossOn = "all" } } : config;
    }

    private static bool ReadTrainOnInputs(RequestObject place)
    {
        place.Takes("train_on_inputs", """{"anyOf":[{"type":"boolean"},{"const":"auto"}]}""");
        return !(place.Find("train_on_inputs") is { ValueKind: System.Text.Json.JsonValueKind.String } word && word.GetString() == "auto")
            && place.Flag("train_on_inputs") == true;
    }
}
