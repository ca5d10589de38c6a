using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;

namespace LangTrain.Core.FineTunes;

/// <summary>Reads <c>POST /fine_tuning/jobs</c>, OpenAI's request for a fine-tune: each of its parameters is honoured or refused by name.</summary>
/// <remarks>What it cannot say stays at this product's defaults: a LoRA adapter, the learning rate that <c>learning_rate_multiplier</c> multiplies.</remarks>
public static class FineTuningJobRequest
{
    private static readonly TrainingConfig Defaults = new();

    // Names under which the request's things are known further in, and what this request calls them.
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["model_id"] = "model",
        ["dataset"] = "training_file",
        ["dataset.file_id"] = "training_file",
        ["dataset.validation_file_id"] = "validation_file",
    };

    /// <summary>Learning rate at the multiplier 1.</summary>
    public static double BaseLearningRate => Defaults.LearningRate;

    /// <summary>Reads a request's body.</summary>
    /// <exception cref="ApiException">400 with all that is wrong.</exception>
    public static FineTuneRequest FromRequest(RequestObject body)
    {
        ArgumentNullException.ThrowIfNull(body);
        var model = body.RequireText("model", 256);
        var dataset = new DatasetReference(null, body.RequireText("training_file", 128), body.Text("validation_file", 128, 1));
        var seed = body.Integer("seed", 0, int.MaxValue);
        var config = ReadMethod(body, out var hasMethod);
        if (body.Object("hyperparameters") is { } older)
        {
            if (hasMethod && older.Element.EnumerateObject().Any())
            {
                body.Problems.Add("hyperparameters", "hyperparameters is the older place of what method holds; give one of them.");
            }

            var read = ReadNumbers(older, config);
            config = hasMethod ? config : read;
        }

        if (body.Items("integrations") is { Count: > 0 })
        {
            body.Problems.Add("integrations", "integrations are not supported; webhooks and the job's events tell what an integration would.", "unsupported_parameter");
        }

        var request = new FineTuneRequest(
            model,
            dataset,
            config with { TrainingConfig = config.TrainingConfig with { Seed = seed ?? Defaults.Seed } },
            Name: null,
            FineTuneRequest.ReadSuffix(body),
            FineTuneRequest.ReadMetadata(body));
        body.RefuseUnknownKeys();
        body.Problems.ThrowIfAny();
        return request;
    }

    /// <summary>The error as it reads to somebody who sent this request: its own names in place of <c>POST /fine-tunes</c>'s.</summary>
    public static ApiException InItsNames(ApiException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new ApiException(
            error.Status, error.Type, [.. error.Problems.Select(problem => problem with { Param = Names.GetValueOrDefault(problem.Param ?? "", problem.Param!) })], error)
        {
            RetryAfter = error.RetryAfter, ShouldRetry = error.ShouldRetry,
        };
    }

    private static FineTuneConfig ReadMethod(RequestObject body, out bool isGiven)
    {
        var config = new FineTuneConfig();
        isGiven = body.Has("method");
        if (body.Object("method") is not { } method)
        {
            return config;
        }

        method.Takes("type", """{"type":"string","enum":["supervised","dpo"]}""");
        var type = method.RequireText("type", 64);
        if (type.Length > 0 && type is not ("supervised" or "dpo"))
        {
            method.Problems.Add(method.At("type"), $"{method.At("type")} must be 'supervised' or 'dpo', not '{ApiErrors.Shorten(type)}'.", "unsupported_value");
        }

        config = type == "dpo" ? config with { Objective = "dpo" } : config;
        foreach (var kind in (string[])["supervised", "dpo"])
        {
            if (method.Object(kind) is not { } inner)
            {
                continue;
            }

            if (type != kind && type.Length > 0)
            {
                method.Problems.Add(inner.Path, $"{inner.Path} belongs to the type '{kind}'; the type is '{ApiErrors.Shorten(type)}'.");
            }

            if (inner.Object("hyperparameters") is { } numbers)
            {
                config = ReadNumbers(numbers, config, withBeta: kind == "dpo");
            }

            inner.RefuseUnknownKeys();
        }

        if (method.Has("reinforcement"))
        {
            method.Problems.Add(method.At("reinforcement"), $"{method.At("reinforcement")} is not supported.", "unsupported_parameter");
        }

        method.RefuseUnknownKeys();
        return config;
    }

    private static FineTuneConfig ReadNumbers(RequestObject numbers, FineTuneConfig config, bool withBeta = false)
    {
        var training = config.TrainingConfig with
        {
            BatchSize = Count(numbers, "batch_size", 1024) ?? Defaults.BatchSize,
            Epochs = Count(numbers, "n_epochs", 100) ?? Defaults.Epochs,
            LearningRate = Defaults.LearningRate * (Real(numbers, "learning_rate_multiplier", 1 / Defaults.LearningRate) ?? 1),
        };
        var beta = withBeta ? Real(numbers, "beta", 100) : null;
        numbers.RefuseUnknownKeys();
        return config with { TrainingConfig = training, Beta = beta ?? config.Beta };
    }

    private static int? Count(RequestObject numbers, string key, int most)
    {
        numbers.Takes(key, $$"""{"anyOf":[{"const":"auto"},{"type":"integer","minimum":1,"maximum":{{most}} }]}""");
        return IsAuto(numbers, key) ? null : numbers.Int32(key, 1, most);
    }

    private static double? Real(RequestObject numbers, string key, double most)
    {
        numbers.Takes(key, FormattableString.Invariant($$"""{"anyOf":[{"const":"auto"},{"type":"number","exclusiveMinimum":0,"maximum":{{most}} }]}"""));
        return IsAuto(numbers, key) ? null : numbers.Number(key, 0, most, excludeMin: true);
    }

    private static bool IsAuto(RequestObject numbers, string key) =>
        numbers.Find(key) is { ValueKind: System.Text.Json.JsonValueKind.String } word && word.GetString() == "auto";
}
