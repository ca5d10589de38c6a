namespace LangTrain.Contracts.FineTunes;

/// <summary>A fine-tune, as the API shows it.</summary>
public sealed record FineTuneAnswer
{
    /// <summary><c>ftjob-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>fine_tune</c>.</summary>
    public string Object { get; init; } = "fine_tune";

    /// <summary>Name the owner gave, or made from model and time.</summary>
    public required string Name { get; init; }

    /// <summary>The model as it was named in the request.</summary>
    public required string ModelId { get; init; }

    /// <summary><c>created</c>, <c>validating</c>, <c>queued</c>, <c>running</c>, <c>paused</c>, <c>completed</c>, <c>failed</c> or <c>cancelled</c>.</summary>
    public required string Status { get; init; }

    /// <summary>0 to 100; 100 exactly when completed.</summary>
    public required double Progress { get; init; }

    /// <summary>Epoch in work, from 1; 0 before the first.</summary>
    public int CurrentEpoch { get; init; }

    /// <summary>Epochs asked for.</summary>
    public int TotalEpochs { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public int CurrentStep { get; init; }

    /// <summary>Optimizer steps of the job; 0 until known.</summary>
    public int TotalSteps { get; init; }

    /// <summary>Newest numbers; only those that are there, never null.</summary>
    public required FineTuneMetricsAnswer Metrics { get; init; }

    /// <summary>Minutes to go, while running.</summary>
    public double? EtaMinutes { get; init; }

    /// <summary>Where the data came from.</summary>
    public required FineTuneDatasetAnswer Dataset { get; init; }

    /// <summary>How it trains, with every default filled in.</summary>
    public required FineTuneConfig Config { get; init; }

    /// <summary>Id of the model that was made, when completed.</summary>
    public string? FineTunedModel { get; init; }

    /// <summary>Why it failed, when failed.</summary>
    public JobError? Error { get; init; }

    /// <summary>Where its log lines are.</summary>
    public required string LogsUrl { get; init; }

    /// <summary>Unix seconds.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>Unix seconds.</summary>
    public long? StartedAt { get; init; }

    /// <summary>Unix seconds.</summary>
    public long? FinishedAt { get; init; }

    /// <summary>Tokens on which the loss was taken so far.</summary>
    public long TrainedTokens { get; init; }

    /// <summary>What the whole training takes, once a worker has looked at the data.</summary>
    public TrainingEstimateAnswer? Estimate { get; init; }

    /// <summary>What was made and how it was verified, when completed.</summary>
    public FineTuneArtifactsAnswer? Artifacts { get; init; }

    /// <summary>The owner's own notes.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>The same as <c>model_id</c>, where the together-ai client looks for it.</summary>
    public required string Model { get; init; }

    /// <summary>The uploaded file, where the together-ai client looks for it; absent where the data came from a URL.</summary>
    public string? TrainingFile { get; init; }

    /// <summary>The uploaded file with evaluation rows, where the together-ai client looks for it.</summary>
    public string? ValidationFile { get; init; }

    /// <summary>The same as <c>fine_tuned_model</c>, where the together-ai client looks for it.</summary>
    public string? ModelOutputName { get; init; }

    /// <summary>The account.</summary>
    public required string UserId { get; init; }
}

/// <summary>Numbers of a fine-tune.</summary>
public sealed record FineTuneMetricsAnswer
{
    /// <summary>Smoothed training loss, nats per token.</summary>
    public double? TrainLoss { get; init; }

    /// <summary>Newest evaluation loss.</summary>
    public double? EvalLoss { get; init; }

    /// <summary>Newest share of evaluation tokens predicted right, 0 to 1.</summary>
    public double? EvalTokenAccuracy { get; init; }

    /// <summary>Learning rate of the last step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Tokens a second, lately.</summary>
    public double? TokensPerSecond { get; init; }
}

/// <summary>Data of a fine-tune.</summary>
public sealed record FineTuneDatasetAnswer
{
    /// <summary>Always <c>jsonl</c>.</summary>
    public string Type { get; init; } = "jsonl";

    /// <summary>Address it was fetched from, or null.</summary>
    public string? Url { get; init; }

    /// <summary>Uploaded file, or null.</summary>
    public string? FileId { get; init; }

    /// <summary>Uploaded file with evaluation rows, or null.</summary>
    public string? ValidationFileId { get; init; }

    /// <summary>Format of the rows, once checked.</summary>
    public string? Format { get; init; }

    /// <summary>Training rows, once checked.</summary>
    public long? Rows { get; init; }

    /// <summary>Evaluation rows, once checked.</summary>
    public long? ValidationRows { get; init; }

    /// <summary>SHA-256 of the canonical rows, once checked.</summary>
    public string? Sha256 { get; init; }

    /// <summary>What is allowed but perhaps not meant, once checked.</summary>
    public IReadOnlyList<string>? Warnings { get; init; }
}

/// <summary>Result of a fine-tune.</summary>
/// <param name="Kind"><c>adapter</c> or <c>full</c>.</param>
/// <param name="Bytes">Size.</param>
/// <param name="TrainingSeconds">Seconds of training.</param>
/// <param name="ReloadMaxLogitDifference">Largest difference of a logit between the model in memory and the stored one read back.</param>
/// <param name="EndsWithEos">Whether it ends answers by itself; null where it was not tried.</param>
public sealed record FineTuneArtifactsAnswer(string Kind, long Bytes, double TrainingSeconds, double? ReloadMaxLogitDifference, bool? EndsWithEos)
{
    /// <summary>Weights that were trained.</summary>
    public long? TrainableParameters { get; init; }

    /// <summary>The step whose weights were stored: the last one, or that of the best evaluation.</summary>
    public int? WrittenStep { get; init; }

    /// <summary>Tensors of the stored files, each scanned for NaN and infinity.</summary>
    public int? TensorsScanned { get; init; }

    /// <summary>Prompts of the training data that the stored model was asked.</summary>
    public int? PromptsTried { get; init; }

    /// <summary>Answers among them that ended by themselves.</summary>
    public int? PromptsEnded { get; init; }

    /// <summary>Answers among them that equal the training data's to the last token.</summary>
    public int? PromptsExact { get; init; }

    /// <summary>Highest resident memory of the worker's process that was seen in the training.</summary>
    public long? PeakMemoryBytes { get; init; }
}

/// <summary>Where a browser connects for live events.</summary>
/// <param name="Url">WebSocket address with a token in it.</param>
/// <param name="ExpiresAt">Until when it can be connected to, Unix seconds.</param>
public sealed record StreamTicketAnswer(string Url, long ExpiresAt);
