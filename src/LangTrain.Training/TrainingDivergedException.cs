namespace LangTrain.Training;

/// <summary>Steps in a row had no finite loss and gradient, or a loss far above guessing, and going back did not help; the job fails with <c>training_diverged</c>.</summary>
/// <remarks>The skipped steps changed no weight.</remarks>
public sealed class TrainingDivergedException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="step">The optimizer step, counted from 1, at which the run gave up.</param>
    /// <param name="stepsInRow">Bad steps in a row.</param>
    /// <param name="rollbacks">How often the run had gone back to an earlier checkpoint.</param>
    public TrainingDivergedException(int step, int stepsInRow, int rollbacks)
        : base($"Training diverged: {stepsInRow} steps in a row up to step {step} had no finite loss and gradient, or a loss far above that of guessing"
            + (rollbacks > 0 ? $", also after going back {rollbacks} times with half the learning rate each" : "")
            + ". A lower learning_rate or a longer warmup usually helps.")
    {
        Step = step;
        StepsInRow = stepsInRow;
        Rollbacks = rollbacks;
    }

    private TrainingDivergedException(string message, int step, int rollbacks)
        : base(message) => (Step, Rollbacks) = (step, rollbacks);

    /// <summary>The last update, of a loss that was still finite, left weights that are not: no later step could tell.</summary>
    /// <param name="step">The step after which the weights are so.</param>
    /// <param name="rollbacks">How often the run had gone back to an earlier checkpoint.</param>
    public static TrainingDivergedException OfWeights(int step, int rollbacks) => new(
        $"Training diverged: the weights after step {step}, the last one, are not finite. A lower learning_rate or a longer warmup usually helps.", step, rollbacks);

    /// <summary>The optimizer step, counted from 1, at which the run gave up.</summary>
    public int Step { get; }

    /// <summary>Bad steps in a row.</summary>
    public int StepsInRow { get; }

    /// <summary>How often the run had gone back to an earlier checkpoint.</summary>
    public int Rollbacks { get; }
}
