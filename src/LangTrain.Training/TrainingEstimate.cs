namespace LangTrain.Training;

/// <summary>What a run will take, told before it starts.</summary>
public sealed record TrainingEstimate
{
    /// <summary>Training examples after the evaluation split.</summary>
    public required long Examples { get; init; }

    /// <summary>Evaluation examples.</summary>
    public required long EvaluationExamples { get; init; }

    /// <summary>Whether every row was tokenized; false where rows beyond those at hand were reckoned to be like them.</summary>
    public required bool IsExact { get; init; }

    /// <summary>Rows that are longer than the maximum and are cut or left out.</summary>
    public required long TooLongRows { get; init; }

    /// <summary>Tokens of the longest row, before anything is cut.</summary>
    public required int LongestRowTokens { get; init; }

    /// <summary>Tokens of one epoch, without padding.</summary>
    public required long TokensPerEpoch { get; init; }

    /// <summary>Tokens of one epoch that the loss is taken on.</summary>
    public required long TrainedTokensPerEpoch { get; init; }

    /// <summary>Tokens that pass through the model in all steps, without padding.</summary>
    public required long TotalTokens { get; init; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public required int TotalSteps { get; init; }

    /// <summary>Parameters that learn.</summary>
    public required long TrainableParameters { get; init; }

    /// <summary>Parameters of the base model.</summary>
    public required long ModelParameters { get; init; }

    /// <summary>Peak memory of the process: weights, gradients, optimizer, activations, and the runtime itself.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Memory that this device has; null where it cannot be told.</summary>
    public required long? DeviceMemoryBytes { get; init; }

    /// <summary>
    /// Time of the run on this machine, by what its parts take there now: steps, evaluations and their samples, checkpoints, and the check of the result. Reading
    /// the rows and the model comes before that.
    /// </summary>
    public required TimeSpan Duration { get; init; }
}
