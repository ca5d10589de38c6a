using LangTrain.Contracts.FineTunes;

namespace LangTrain.Core.FineTunes;

/// <summary>How far the training is; written by the worker with its heartbeats.</summary>
public sealed record FineTuneProgress
{
    /// <summary>Epoch in work, from 1; 0 before the first.</summary>
    public int CurrentEpoch { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public int CurrentStep { get; init; }

    /// <summary>Optimizer steps of the whole job; 0 until known.</summary>
    public int TotalSteps { get; init; }

    /// <summary>Smoothed training loss, nats per token.</summary>
    public double? TrainLoss { get; init; }

    /// <summary>Newest evaluation loss.</summary>
    public double? EvalLoss { get; init; }

    /// <summary>Newest evaluation token accuracy, 0 to 1.</summary>
    public double? EvalTokenAccuracy { get; init; }

    /// <summary>Learning rate of the last step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Tokens a second over the last steps.</summary>
    public double? TokensPerSecond { get; init; }

    /// <summary>Seconds to go, by the pace so far.</summary>
    public double? EtaSeconds { get; init; }

    /// <summary>Seconds trained so far, over all attempts.</summary>
    public double TrainingSeconds { get; init; }

    /// <summary>Tokens trained so far.</summary>
    public long TrainedTokens { get; init; }

    /// <summary>What the whole training takes, told by the worker before its first step; null until then.</summary>
    public TrainingEstimateAnswer? Estimate { get; init; }
}
