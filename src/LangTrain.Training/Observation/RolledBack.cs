namespace LangTrain.Training.Observation;

/// <summary>Where a run is that went back to an earlier checkpoint: its numbers as they were there.</summary>
public sealed record RolledBack
{
    /// <summary>Optimizer steps made before the checkpoint.</summary>
    public required int Step { get; init; }

    /// <summary>How often the run has gone back, this time included.</summary>
    public required int Rollbacks { get; init; }

    /// <summary>Mean of the losses up to the checkpoint, see <see cref="TrainingMetrics.SmoothedLoss"/>.</summary>
    public double? Loss { get; init; }

    /// <summary>Loss of the last evaluation up to the checkpoint; null if there was none.</summary>
    public double? EvaluationLoss { get; init; }

    /// <summary>What that evaluation got right, 0 to 1.</summary>
    public double? EvaluationAccuracy { get; init; }

    /// <summary>Tokens that the loss was taken on, up to the checkpoint.</summary>
    public required long TrainedTokens { get; init; }
}
