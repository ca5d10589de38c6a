using LangTrain.Contracts.FineTunes;

namespace LangTrain.Contracts.Together;

/// <summary>A fine-tune, as the together-ai client reads it.</summary>
public sealed record TogetherFineTuneAnswer
{
    /// <summary><c>ftjob-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>fine-tune</c>.</summary>
    public string Object { get; init; } = "fine-tune";

    /// <summary><c>pending</c>, <c>queued</c> (also while it is paused), <c>running</c>, <c>cancel_requested</c>, <c>completed</c>, <c>error</c> or <c>cancelled</c>.</summary>
    public required string Status { get; init; }

    /// <summary>The account.</summary>
    public required string UserId { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was made, began or ended, the latest of these; UTC.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>UTC.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>The model that is trained, as it was named.</summary>
    public required string Model { get; init; }

    /// <summary>Id of the model that was made, when completed.</summary>
    public string? ModelOutputName { get; init; }

    /// <summary>The uploaded file; absent where the data came from a URL.</summary>
    public string? TrainingFile { get; init; }

    /// <summary>The uploaded file with evaluation rows.</summary>
    public string? ValidationFile { get; init; }

    /// <summary>Training rows, once checked.</summary>
    public long? TrainingfileNumlines { get; init; }

    /// <summary>Last part of the trained model's id.</summary>
    public string? Suffix { get; init; }

    /// <summary>Passes over the training data.</summary>
    public required int NEpochs { get; init; }

    /// <summary>Epochs behind it.</summary>
    public required int EpochsCompleted { get; init; }

    /// <summary>Rows of one micro-batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Peak learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>How the learning rate falls.</summary>
    public required TogetherLrScheduler LrScheduler { get; init; }

    /// <summary>Share of the steps in which the learning rate rises.</summary>
    public required double WarmupRatio { get; init; }

    /// <summary>Decoupled weight decay.</summary>
    public required double WeightDecay { get; init; }

    /// <summary>Gradients are scaled down to this norm.</summary>
    public required double MaxGradNorm { get; init; }

    /// <summary>Longest row in tokens; absent where the model's own counts.</summary>
    public int? MaxSeqLength { get; init; }

    /// <summary>Several rows in one sequence.</summary>
    public required bool Packing { get; init; }

    /// <summary>Seed of everything random.</summary>
    public required long RandomSeed { get; init; }

    /// <summary>Whether prompts are trained on as well.</summary>
    public required bool TrainOnInputs { get; init; }

    /// <summary>What is learned.</summary>
    public required TogetherTrainingMethod TrainingMethod { get; init; }

    /// <summary>Which weights learn.</summary>
    public required TogetherTrainingType TrainingType { get; init; }

    /// <summary>Tokens that pass through the model over all steps, once known.</summary>
    public long? TokenCount { get; init; }

    /// <summary>Weights that learn, once known.</summary>
    public long? ParamCount { get; init; }

    /// <summary>How long it will take, while it runs.</summary>
    public TogetherProgress? Progress { get; init; }

    /// <summary>Why it failed, with <c>error</c>.</summary>
    public JobError? Error { get; init; }
}

/// <summary>How the learning rate falls.</summary>
/// <param name="LrSchedulerType"><c>cosine</c>, <c>linear</c> or <c>constant</c>.</param>
public sealed record TogetherLrScheduler(string LrSchedulerType);

/// <summary>What is learned.</summary>
/// <param name="Method"><c>sft</c> or <c>dpo</c>.</param>
/// <param name="TrainOnInputs">Whether prompts are trained on, with <c>sft</c>.</param>
/// <param name="DpoBeta">Beta, with <c>dpo</c>.</param>
public sealed record TogetherTrainingMethod(string Method, bool? TrainOnInputs, double? DpoBeta);

/// <summary>Which weights learn.</summary>
/// <param name="Type"><c>Lora</c> or <c>Full</c>.</param>
/// <param name="LoraR">Rank.</param>
/// <param name="LoraAlpha">Scaling numerator.</param>
/// <param name="LoraDropout">Dropout on the adapter's input.</param>
/// <param name="LoraTrainableModules">Layers by the last part of their name, between commas.</param>
public sealed record TogetherTrainingType(string Type, int? LoraR, double? LoraAlpha, double? LoraDropout, string? LoraTrainableModules);

/// <summary>How long a job will take.</summary>
/// <param name="EstimateAvailable">Whether that is known.</param>
/// <param name="SecondsRemaining">Seconds to go; 0 where it is not known.</param>
public sealed record TogetherProgress(bool EstimateAvailable, double SecondsRemaining);

/// <summary>What became of a request that gives nothing else back.</summary>
/// <param name="Message">A sentence.</param>
public sealed record TogetherMessageAnswer(string Message);
