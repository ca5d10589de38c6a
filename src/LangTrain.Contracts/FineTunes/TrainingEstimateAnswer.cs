namespace LangTrain.Contracts.FineTunes;

/// <summary>What a fine-tune takes, told before it trains; stands on a job once a worker has it, and in an estimate's answer.</summary>
public sealed record TrainingEstimateAnswer
{
    /// <summary>Whether every row was tokenized; false where the numbers of tokens and steps were reckoned from some rows.</summary>
    public required bool Exact { get; init; }

    /// <summary>Tokens of one epoch, without padding.</summary>
    public required long TokensPerEpoch { get; init; }

    /// <summary>Tokens of one epoch that the loss is taken on.</summary>
    public required long TrainedTokensPerEpoch { get; init; }

    /// <summary>Tokens that pass through the model over all steps, without padding.</summary>
    public required long TotalTokens { get; init; }

    /// <summary>Optimizer steps.</summary>
    public required int TotalSteps { get; init; }

    /// <summary>Tokens of the longest row, before anything is cut.</summary>
    public required int LongestRowTokens { get; init; }

    /// <summary>Rows longer than a sequence may be: cut, left out, or an error, as <c>overlong_rows</c> says.</summary>
    public required long OverlongRows { get; init; }

    /// <summary>Weights that learn.</summary>
    public required long TrainableParameters { get; init; }

    /// <summary>Weights of the base model.</summary>
    public required long ModelParameters { get; init; }

    /// <summary>Peak memory.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Memory of the worker that made the estimate; null where it cannot tell.</summary>
    public long? DeviceMemoryBytes { get; init; }

    /// <summary>Whether the first is at most the second; null where that is not known.</summary>
    public bool? Fits { get; init; }

    /// <summary>Seconds of training on that worker.</summary>
    public required double TrainingSeconds { get; init; }
}
