namespace LangTrain.Contracts.FineTunes;

/// <summary>What a successful attempt made and measured.</summary>
public sealed record TrainingOutcome
{
    /// <summary>Blob prefix in the models container, <c>account/job</c>, whose <c>manifest.json</c> is complete.</summary>
    public required string ArtifactPrefix { get; init; }

    /// <summary><c>adapter</c> (PEFT layout) or <c>full</c> (Hugging Face layout).</summary>
    public required string ArtifactKind { get; init; }

    /// <summary>Size of the artifact in bytes.</summary>
    public long ArtifactBytes { get; init; }

    /// <summary>Trainable parameters.</summary>
    public long TrainableParameters { get; init; }

    /// <summary>Tokens on which the loss was taken, over all epochs.</summary>
    public long TrainedTokens { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public int Steps { get; init; }

    /// <summary>Last smoothed training loss, nats per token.</summary>
    public double TrainLoss { get; init; }

    /// <summary>Loss on the evaluation data, nats per token, where there is any.</summary>
    public double? EvalLoss { get; init; }

    /// <summary>Share of evaluation tokens predicted right, 0 to 1, where there is evaluation data.</summary>
    public double? EvalTokenAccuracy { get; init; }

    /// <summary>Seconds of training, loading left out.</summary>
    public double TrainingSeconds { get; init; }

    /// <summary>Largest difference of a logit between the trained model in memory and the stored one loaded again.</summary>
    public double? ReloadMaxLogitDifference { get; init; }

    /// <summary>Whether the stored model ends a prompt of its training data with an end-of-sequence token; null where it was not tried.</summary>
    public bool? EndsWithEos { get; init; }

    /// <summary>The step whose weights were stored: the last one, or that of the best evaluation.</summary>
    public int? WrittenStep { get; init; }

    /// <summary>Tensors of the stored files, each scanned for NaN and infinity; an attempt that finds any fails.</summary>
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
