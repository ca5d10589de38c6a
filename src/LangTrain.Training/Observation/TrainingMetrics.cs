namespace LangTrain.Training.Observation;

/// <summary>What one optimizer step measured; every number is finite.</summary>
/// <remarks>A step whose loss was not finite is reported as a log line instead, so that no reader ever meets a NaN.</remarks>
public sealed record TrainingMetrics
{
    /// <summary>Passes over the training data, as a fraction: 1.5 is half-way through the second.</summary>
    public required double Epoch { get; init; }

    /// <summary>The optimizer step, counted from 1.</summary>
    public required int Step { get; init; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public required int TotalSteps { get; init; }

    /// <summary>Mean cross-entropy of the step's trained tokens, in nats; with preferences the mean loss of its pairs.</summary>
    public required double Loss { get; init; }

    /// <summary>Mean of the losses up to this step in which older ones count ever less: what the run as a whole is at. The same whether the run was interrupted or not.</summary>
    public required double SmoothedLoss { get; init; }

    /// <summary>The learning rate that the step used.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The L2 norm of all gradients before clipping.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>Tokens, trained or not but without padding, that the run passes through the model in a second, lately.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Estimated seconds until the result is written and checked: steps by the same rate, evaluations and checkpoints by what the last ones took.</summary>
    public required double EtaSeconds { get; init; }

    /// <summary>Resident memory of the process.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>How often the run went back to an earlier checkpoint before this step: the same step is told once more after each.</summary>
    public int Rollbacks { get; init; }

    /// <summary>With preferences, by how much the chosen answers' rewards are above the rejected ones', on average; null otherwise.</summary>
    public double? RewardMargin { get; init; }

    /// <summary>With preferences, the share of pairs whose chosen answer has the higher reward, 0 to 1; null otherwise.</summary>
    public double? RewardAccuracy { get; init; }

    /// <summary>Tokens that the loss was taken on, over the whole run up to now.</summary>
    public required long TrainedTokens { get; init; }
}
