using LangTrain.Training.Evaluation;

namespace LangTrain.Training;

/// <summary>What a run made.</summary>
public sealed record TrainingResult
{
    /// <summary>How the run ended.</summary>
    public required TrainingOutcome Outcome { get; init; }

    /// <summary>Optimizer steps made, over all attempts.</summary>
    public required int Steps { get; init; }

    /// <summary>Optimizer steps that were planned; more than <see cref="Steps"/> after early stopping.</summary>
    public required int TotalSteps { get; init; }

    /// <summary>Tokens that the loss was taken on, over all attempts.</summary>
    public required long TrainedTokens { get; init; }

    /// <summary>Weights that learned.</summary>
    public long TrainableParameters { get; init; }

    /// <summary>Training loss of the last step, in nats a token; null if no step was made.</summary>
    public double? FinalLoss { get; init; }

    /// <summary>Training loss over the last steps, in which older ones count ever less; null if no step was made.</summary>
    public double? SmoothedLoss { get; init; }

    /// <summary>Loss on the evaluation data of the weights that were written; null without evaluation data.</summary>
    public double? EvaluationLoss { get; init; }

    /// <summary>Share of the evaluation data's trained tokens (or pairs) that those weights get right, 0 to 1; null without evaluation data.</summary>
    public double? EvaluationAccuracy { get; init; }

    /// <summary>The step whose weights were written: the last one, or that of the best evaluation.</summary>
    public int? WrittenStep { get; init; }

    /// <summary>The adapter in PEFT layout or the model in Hugging Face layout; null if the run was paused.</summary>
    public string? OutputFolder { get; init; }

    /// <summary>The checkpoint to go on from, of a paused run; otherwise null.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>What was found when the written files were read back; null if the run was paused.</summary>
    public VerificationReport? Verification { get; init; }

    /// <summary>Training time, over all attempts.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Highest resident memory of the process seen during the run.</summary>
    public required long PeakMemoryBytes { get; init; }
}
