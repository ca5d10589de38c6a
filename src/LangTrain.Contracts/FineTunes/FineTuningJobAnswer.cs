using System.Text.Json;
using System.Text.Json.Serialization;

namespace LangTrain.Contracts.FineTunes;

/// <summary>A fine-tune under OpenAI's name for it, in OpenAI's shape: the same job as a <see cref="FineTuneAnswer"/>.</summary>
/// <remarks>What is not there yet is null, not absent: OpenAI's clients read it so.</remarks>
public sealed record FineTuningJobAnswer
{
    /// <summary><c>ftjob-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>fine_tuning.job</c>.</summary>
    public string Object { get; init; } = "fine_tuning.job";

    /// <summary>The model that is trained, as the request named it.</summary>
    public required string Model { get; init; }

    /// <summary>Unix seconds.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>Unix seconds; null before the job has ended.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? FinishedAt { get; init; }

    /// <summary>Id of the model that was made; null before.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? FineTunedModel { get; init; }

    /// <summary>The account.</summary>
    public required string OrganizationId { get; init; }

    /// <summary>Files with the numbers of the training; a job has none before it has succeeded.</summary>
    public required IReadOnlyList<string> ResultFiles { get; init; }

    /// <summary><c>validating_files</c>, <c>queued</c>, <c>running</c>, <c>paused</c>, <c>succeeded</c>, <c>failed</c> or <c>cancelled</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Id of the training file; of a job whose data came from a URL, that URL.</summary>
    public required string TrainingFile { get; init; }

    /// <summary>Id of the validation file, or null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? ValidationFile { get; init; }

    /// <summary>The numbers of the training, the older place for them.</summary>
    public required FineTuningHyperparametersAnswer Hyperparameters { get; init; }

    /// <summary>How it trains.</summary>
    public required FineTuningMethodAnswer Method { get; init; }

    /// <summary>Tokens trained; null before the job has ended.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? TrainedTokens { get; init; }

    /// <summary>Why it failed; null where it did not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public FineTuningErrorAnswer? Error { get; init; }

    /// <summary>The suffix of the request, or null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? UserProvidedSuffix { get; init; }

    /// <summary>Seed of everything random.</summary>
    public required long Seed { get; init; }

    /// <summary>When it will end by its pace so far, Unix seconds, in the future; null while that is not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? EstimatedFinish { get; init; }

    /// <summary>Always empty: there are no integrations.</summary>
    public IReadOnlyList<string> Integrations { get; init; } = [];

    /// <summary>The owner's own notes.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }
}

/// <summary>The numbers of a training as OpenAI names them.</summary>
public sealed record FineTuningHyperparametersAnswer
{
    /// <summary>Rows of a micro-batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>The learning rate as a multiple of the default one.</summary>
    public required double LearningRateMultiplier { get; init; }

    /// <summary>Passes over the training data.</summary>
    public required int NEpochs { get; init; }

    /// <summary>DPO's beta; with the method <c>dpo</c> only.</summary>
    public double? Beta { get; init; }
}

/// <summary>How a job trains.</summary>
/// <param name="Type"><c>supervised</c> or <c>dpo</c>.</param>
/// <param name="Supervised">With <c>supervised</c>.</param>
/// <param name="Dpo">With <c>dpo</c>.</param>
public sealed record FineTuningMethodAnswer(string Type, FineTuningMethodNumbersAnswer? Supervised = null, FineTuningMethodNumbersAnswer? Dpo = null);

/// <summary>The numbers of a method.</summary>
/// <param name="Hyperparameters">The numbers.</param>
public sealed record FineTuningMethodNumbersAnswer(FineTuningHyperparametersAnswer Hyperparameters);

/// <summary>Why a job failed.</summary>
/// <param name="Code">Stable word.</param>
/// <param name="Message">For people.</param>
/// <param name="Param">What of the request was at fault, or null.</param>
public sealed record FineTuningErrorAnswer(string Code, string Message, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param);

/// <summary>One event of a job in OpenAI's shape.</summary>
/// <param name="Id"><c>ftevent-…</c>; as <c>after</c> it gives the page of older ones.</param>
/// <param name="CreatedAt">Unix seconds.</param>
/// <param name="Level"><c>info</c>, <c>warn</c> or <c>error</c>.</param>
/// <param name="Message">For people.</param>
/// <param name="Type"><c>message</c> or <c>metrics</c>.</param>
/// <param name="Data">Numbers, with <c>metrics</c>.</param>
public sealed record FineTuningEventAnswer(string Id, long CreatedAt, string Level, string Message, string Type, JsonElement? Data)
{
    /// <summary>Always <c>fine_tuning.job.event</c>.</summary>
    public string Object { get; init; } = "fine_tuning.job.event";
}

/// <summary>A stored checkpoint of a job in OpenAI's shape.</summary>
/// <param name="Id"><c>ftckpt-…</c></param>
/// <param name="CreatedAt">Unix seconds.</param>
/// <param name="FineTunedModelCheckpoint">Id of the model that the checkpoint is.</param>
/// <param name="FineTuningJobId">The job.</param>
/// <param name="StepNumber">Optimizer steps done.</param>
/// <param name="Metrics">Numbers at that step.</param>
public sealed record FineTuningCheckpointAnswer(
    string Id, long CreatedAt, string FineTunedModelCheckpoint, string FineTuningJobId, int StepNumber, FineTuningCheckpointMetricsAnswer Metrics)
{
    /// <summary>Always <c>fine_tuning.job.checkpoint</c>.</summary>
    public string Object { get; init; } = "fine_tuning.job.checkpoint";
}

/// <summary>Numbers of a checkpoint; only those that were measured.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="TrainLoss">Training loss of that step, nats per token.</param>
/// <param name="FullValidLoss">Loss on all evaluation data.</param>
/// <param name="FullValidMeanTokenAccuracy">Share of evaluation tokens predicted right, 0 to 1.</param>
public sealed record FineTuningCheckpointMetricsAnswer(int Step, double? TrainLoss, double? FullValidLoss, double? FullValidMeanTokenAccuracy);
