using System.Text.Json.Serialization;
using LangTrain.Modeling;
using LangTrain.Training.Data;
using LangTrain.Training.Optimization;

namespace LangTrain.Training;

/// <summary>Every number of a run, with every default filled in: what the API calls <c>config</c>.</summary>
/// <remarks>Immutable. <see cref="Validate"/> tells what does not fit; recipes call it first.</remarks>
public sealed record TrainingOptions
{
    /// <summary>DPO's beta where none is given.</summary>
    public const double DefaultBeta = 0.1;

    /// <summary>Which weights change. Default LoRA.</summary>
    public TrainingMethod Method { get; init; } = TrainingMethod.Lora;

    /// <summary>What the loss is taken on. Default supervised fine-tuning.</summary>
    public TrainingObjective Objective { get; init; } = TrainingObjective.Sft;

    /// <summary>Which tokens of supervised rows are learned. Default the answers only.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] // as every option that came later: hashes in older checkpoints stay what they are
    public LossOn LossOn { get; init; }

    /// <summary>How strongly DPO holds the model to its reference, above 0: larger values let it move less. Null takes <see cref="DefaultBeta"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double? Beta { get; init; }

    /// <summary>The adapter's form; not used by full fine-tuning.</summary>
    public LoraOptions Lora { get; init; } = new();

    /// <summary>What products are computed in. Default Float32, which is exact and the same on every machine.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ComputeDtype ComputeDtype { get; init; } = ComputeDtype.Float32;

    /// <summary>Passes over the training data, at least 1. Default 3.</summary>
    public int Epochs { get; init; } = 3;

    /// <summary>Optimizer steps after which training ends even within the epochs; null for no limit. Default null.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Rows that pass through the model at once, at least 1. Default 4.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Micro-batches whose gradients are added up before an update, at least 1. Default 1.</summary>
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>Peak learning rate. Default 2e-4, which suits LoRA; full fine-tuning of a large model wants about 1e-5.</summary>
    public double LearningRate { get; init; } = 2e-4;

    /// <summary>Form of the decay after the warmup. Default cosine.</summary>
    public LearningRateDecay LearningRateDecay { get; init; } = LearningRateDecay.Cosine;

    /// <summary>Share of all steps that warms up, 0 to 1, rounded up; not used if <see cref="WarmupSteps"/> is given. Default 0.03.</summary>
    public double WarmupRatio { get; init; } = 0.03;

    /// <summary>Steps of warmup; null to take <see cref="WarmupRatio"/>. Default null.</summary>
    public int? WarmupSteps { get; init; }

    /// <summary>Decoupled weight decay of matrices (norms and biases have none), 0 or more. Default 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>AdamW's decay of the first moment. Default 0.9.</summary>
    public double AdamBeta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay of the second moment. Default 0.999.</summary>
    public double AdamBeta2 { get; init; } = 0.999;

    /// <summary>AdamW's epsilon. Default 1e-8.</summary>
    public double AdamEpsilon { get; init; } = 1e-8;

    /// <summary>L2 norm that the gradients of a step are scaled down to; 0 for no clipping. Default 1.</summary>
    public double MaxGradientNorm { get; init; } = 1.0;

    /// <summary>Tokens of the longest row; cut to the model's context length. Default 2048.</summary>
    public int MaxSequenceLength { get; init; } = 2048;

    /// <summary>What becomes of a longer row. Default: its end is cut off.</summary>
    public LongRowPolicy LongRows { get; init; } = LongRowPolicy.Truncate;

    /// <summary>Puts several examples into one row, each attending to itself only. Default false.</summary>
    public bool Packing { get; init; }

    /// <summary>
    /// Keeps each layer's input only and computes the rest again in the backward pass: much less memory, about a third more time, the same gradients.
    /// Default false.
    /// </summary>
    [JsonIgnore] // it changes no result, so that a resumed run may differ in it
    public bool ActivationCheckpointing { get; init; }

    /// <summary>Seed of everything random: adapter, data order, evaluation split, dropout. Default 42.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>Share of the training data that is held out for evaluation, 0 to below 1; not used if an evaluation file is given. Default 0.</summary>
    public double EvaluationSplit { get; init; }

    /// <summary>Steps between evaluations; null for one at the end of every epoch. Default null.</summary>
    public int? EvaluationSteps { get; init; }

    /// <summary>Samples that the model writes at each evaluation, for the log. Default 2.</summary>
    public int EvaluationSamples { get; init; } = 2;

    /// <summary>Steps between checkpoints; null for a tenth of the run (adapters) or an epoch (full). Default null.</summary>
    public int? SaveSteps { get; init; }

    /// <summary>Longest time without a checkpoint. Default 10 minutes.</summary>
    public TimeSpan SaveInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Checkpoints that are kept besides the best one, at least 1. Default 2.</summary>
    public int KeepCheckpoints { get; init; } = 2;

    /// <summary>Ends training when the evaluation loss no longer falls, and takes the best weights; null for never. Default null.</summary>
    public EarlyStoppingOptions? EarlyStopping { get; init; }

    /// <summary>
    /// With evaluation data, the result is the checkpoint of the lowest evaluation loss; false takes the last step's weights (except that early
    /// stopping always takes the best). Default true.
    /// </summary>
    [JsonIgnore] // it changes no step
    public bool UseBestCheckpoint { get; init; } = true;

    /// <summary>
    /// Steps in a row without a finite loss and gradient, or with a loss far above that of guessing, after which the run goes back to its last good
    /// checkpoint with half the learning rate, twice at most, and then fails; at the end of the run two are enough. Default 5.
    /// </summary>
    public int NonFiniteStepLimit { get; init; } = 5;

    /// <summary>Tells what does not fit, one sentence each; empty if all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var problems = new List<string>();
        Require(Epochs >= 1, nameof(Epochs), Epochs, "at least 1");
        Require(MaxSteps is null or >= 1, nameof(MaxSteps), MaxSteps, "at least 1");
        Require(BatchSize >= 1, nameof(BatchSize), BatchSize, "at least 1");
        Require(GradientAccumulationSteps >= 1, nameof(GradientAccumulationSteps), GradientAccumulationSteps, "at least 1");
        Require(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "above 0");
        Require(WarmupRatio is >= 0 and <= 1, nameof(WarmupRatio), WarmupRatio, "0 to 1");
        Require(WarmupSteps is null or >= 0, nameof(WarmupSteps), WarmupSteps, "0 or more");
        Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), nameof(WeightDecay), WeightDecay, "0 or more");
        Require(AdamBeta1 is >= 0 and < 1, nameof(AdamBeta1), AdamBeta1, "0 to below 1");
        Require(AdamBeta2 is >= 0 and < 1, nameof(AdamBeta2), AdamBeta2, "0 to below 1");
        Require(AdamEpsilon > 0, nameof(AdamEpsilon), AdamEpsilon, "above 0");
        Require(MaxGradientNorm >= 0, nameof(MaxGradientNorm), MaxGradientNorm, "0 or more");
        Require(MaxSequenceLength >= 2, nameof(MaxSequenceLength), MaxSequenceLength, "at least 2");
        Require(EvaluationSplit is >= 0 and < 1, nameof(EvaluationSplit), EvaluationSplit, "0 to below 1");
        Require(EvaluationSteps is null or >= 1, nameof(EvaluationSteps), EvaluationSteps, "at least 1");
        Require(EvaluationSamples >= 0, nameof(EvaluationSamples), EvaluationSamples, "0 or more");
        Require(SaveSteps is null or >= 1, nameof(SaveSteps), SaveSteps, "at least 1");
        Require(KeepCheckpoints >= 1, nameof(KeepCheckpoints), KeepCheckpoints, "at least 1");
        Require(EarlyStopping is null or { Patience: >= 1 }, "EarlyStopping.Patience", EarlyStopping?.Patience, "at least 1");
        Require(NonFiniteStepLimit >= 1, nameof(NonFiniteStepLimit), NonFiniteStepLimit, "at least 1");
        Require(Beta is null or (> 0 and < double.PositiveInfinity), nameof(Beta), Beta, "above 0");
        Require(Objective != TrainingObjective.Dpo || !Packing, nameof(Packing), Packing, "false for preferences, whose two answers need a row each");
        Require(Objective != TrainingObjective.Dpo || LossOn == LossOn.Completion, nameof(LossOn), LossOn, "Completion for preferences, which are between answers");
        return problems;

        void Require(bool holds, string name, object? given, string allowed)
        {
            if (!holds)
            {
                problems.Add(FormattableString.Invariant($"{name} is {given}; it has to be {allowed}."));
            }
        }
    }
}
