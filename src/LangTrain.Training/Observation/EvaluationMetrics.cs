namespace LangTrain.Training.Observation;

/// <summary>What one pass over the evaluation data measured; every number is finite.</summary>
public sealed record EvaluationMetrics
{
    /// <summary>Optimizer steps made before the evaluation.</summary>
    public required int Step { get; init; }

    /// <summary>Passes over the training data, as a fraction.</summary>
    public required double Epoch { get; init; }

    /// <summary>Mean cross-entropy of the evaluation data's trained tokens, in nats; with preferences the mean loss of its pairs.</summary>
    public required double Loss { get; init; }

    /// <summary>Share of trained tokens that the model finds most likely, 0 to 1; with preferences the share of pairs whose chosen answer has the higher reward.</summary>
    public required double TokenAccuracy { get; init; }

    /// <summary>Tokens that the loss was taken on.</summary>
    public required long Tokens { get; init; }

    /// <summary>True if no earlier evaluation of the run had a lower loss.</summary>
    public required bool IsBest { get; init; }

    /// <summary>How often the run had gone back to an earlier checkpoint.</summary>
    public int Rollbacks { get; init; }
}
