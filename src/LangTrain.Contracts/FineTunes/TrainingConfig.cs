namespace LangTrain.Contracts.FineTunes;

/// <summary>The training loop's numbers, with their defaults.</summary>
public sealed record TrainingConfig
{
    /// <summary>Passes over the training data, 1 to 100.</summary>
    public int Epochs { get; init; } = 3;

    /// <summary>Optimizer steps at most; null is as many as the epochs have.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Rows (or packed rows) of one micro-batch, 1 to 1,024.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Micro-batches of one optimizer step, 1 to 1,024.</summary>
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>Peak learning rate, greater than 0, at most 1.</summary>
    public double LearningRate { get; init; } = 2e-4;

    /// <summary><c>cosine</c>, <c>linear</c> or <c>constant</c>.</summary>
    public string LrScheduler { get; init; } = "cosine";

    /// <summary>Share of the steps in which the learning rate rises from 0, 0 to 1; <see cref="WarmupSteps"/> wins where given.</summary>
    public double WarmupRatio { get; init; } = 0.03;

    /// <summary>Steps of warm-up; null takes <see cref="WarmupRatio"/>.</summary>
    public int? WarmupSteps { get; init; }

    /// <summary>AdamW's decoupled weight decay, 0 to 1.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Gradients are scaled down to this global norm; 0 is no clipping.</summary>
    public double MaxGradNorm { get; init; } = 1.0;

    /// <summary>Longest row in tokens; null is the model's context or 2,048, the smaller of both.</summary>
    public int? MaxSeqLength { get; init; }

    /// <summary>What becomes of a longer row: <c>truncate</c>, <c>drop</c> or <c>error</c>.</summary>
    public string OverlongRows { get; init; } = "truncate";

    /// <summary>Several rows in one sequence, with attention kept apart.</summary>
    public bool Packing { get; init; }

    /// <summary>Keeps less for the backward pass and computes it again: much less memory, about a third more time, the same result.</summary>
    public bool ActivationCheckpointing { get; init; }

    /// <summary>
    /// What products are computed in: <c>float32</c>, <c>bfloat16</c>, or <c>auto</c>: bfloat16 on a GPU and where a processor gains by it, float32 elsewhere. A processor with AVX2
    /// alone makes bfloat16's products of 16-bit integers, which keep more of a number. What is trained is kept in float32 always.
    /// </summary>
    public string ComputeDtype { get; init; } = "auto";

    /// <summary>Seed of everything random.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>Share of rows kept for evaluation, 0 to 0.5.</summary>
    public double EvalSplit { get; init; }

    /// <summary>Steps between evaluations; null is once an epoch.</summary>
    public int? EvalSteps { get; init; }

    /// <summary>Steps between checkpoints; null lets the worker choose by time.</summary>
    public int? SaveSteps { get; init; }

    /// <summary>With evaluation data, makes the model of the checkpoint with the lowest evaluation loss; false takes the last step's weights.</summary>
    public bool UseBestCheckpoint { get; init; } = true;

    /// <summary>Stops when evaluation loss no longer falls; null never does.</summary>
    public EarlyStoppingConfig? EarlyStopping { get; init; }

    /// <summary>Which tokens are trained: <c>completion</c> (answers only) or <c>all</c> (prompts too; not with <c>dpo</c>).</summary>
    public string LossOn { get; init; } = "completion";
}
