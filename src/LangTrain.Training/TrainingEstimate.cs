namespace LangTrain.Training;

/// <summary>What a run will take, told before it starts.</summary>
public sealed record TrainingEstimate
{
    /// <summary>Training examples after the evaluation split.</summary>
    public required int Examples { get; init; }

    /// <summary>Evaluation examples.</summary>
    public required int EvaluationExamples { get; init; }

    /// <summary>Examples that are longer than the maximum and are cut or dropped.</summary>
    public required int TooLongExamples { get; init; }

    /// <summary>Tokens of one epoch, without padding.</summary>
    public required long TokensPerEpoch { get; init; }

    /// <summary>Tokens of one epoch that the loss is taken on.</summary>
    public required long TrainedTokensPerEpoch { get; init; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public required int TotalSteps { get; init; }

    /// <summary>Parameters that learn.</summary>
    public required long TrainableParameters { get; init; }

    /// <summary>Parameters of the base model.</summary>
    public required long ModelParameters { get; init; }

    /// <summary>Peak memory of weights, gradients, optimizer and activations.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Training time on this device, from its measured matmul rate.</summary>
    public required TimeSpan Duration { get; init; }
}
