using LangTrain.Training.Batches;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>What a run minimises: how its loss is taken on a micro-batch, and what it is the mean of.</summary>
/// <remarks>Used by one run on one thread. <see cref="TokenObjective"/> and <see cref="PreferenceObjective"/>.</remarks>
internal abstract class RunObjective
{
    /// <summary>Makes the objective of a run, before anything was trained or restored.</summary>
    /// <param name="options">Which one.</param>
    /// <param name="trainee">The untrained model: what preferences are measured against.</param>
    /// <param name="data">The rows.</param>
    /// <param name="control">Stops the passes that this may take.</param>
    /// <returns>The objective; null if a pause was asked for before it was ready.</returns>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public static RunObjective? Create(TrainingOptions options, Trainee trainee, TrainingData data, TrainingControl control) =>
        options.Objective == TrainingObjective.Dpo ? PreferenceObjective.Measure(options, trainee, data, control) : new TokenObjective();

    /// <summary>The loss of a model that knows nothing, a term.</summary>
    /// <param name="vocabularySize">Tokens that the model knows.</param>
    public abstract double GuessingLoss(int vocabularySize);

    /// <summary>Terms that the loss of these rows is the mean of: trained tokens, or pairs.</summary>
    public abstract int Terms(IEnumerable<int[]> rows, ITokenizedExamples examples);

    /// <summary>Adds one micro-batch's gradient to the parameters' gradients.</summary>
    /// <param name="trainee">What is trained.</param>
    /// <param name="rows">The micro-batch's rows of example indexes, of the training data.</param>
    /// <param name="batch">Their tensors.</param>
    /// <param name="termWeight">What one term counts: 1 / terms of the whole optimizer step.</param>
    /// <param name="dropout">Seeded for this micro-batch.</param>
    /// <returns>[3], fp64, sums over the terms: loss, reward margin, pairs ranked rightly (the last two 0 without pairs); fresh, owned by the caller's scope.</returns>
    public abstract Tensor Accumulate(Trainee trainee, int[][] rows, MicroBatch batch, double termWeight, Generator dropout);

    /// <summary>The loss of one micro-batch of the evaluation data, without dropout and gradient.</summary>
    /// <returns>Scalars, the sum of losses (fp64) and how many terms came out right (int64): tokens that were the most likely ones, or pairs ranked rightly.</returns>
    public abstract (Tensor LossSum, Tensor Hits) Evaluate(Trainee trainee, int[][] rows, MicroBatch batch);
}
