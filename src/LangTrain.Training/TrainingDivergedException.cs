namespace LangTrain.Training;

/// <summary>Training gave no finite loss or gradient several steps in a row; the job fails with <c>training_diverged</c>.</summary>
/// <remarks>The skipped steps changed no weight, so the newest checkpoint is still good.</remarks>
public sealed class TrainingDivergedException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="step">The optimizer step, counted from 1, at which the run gave up.</param>
    /// <param name="stepsInRow">Steps in a row without a finite loss and gradient.</param>
    public TrainingDivergedException(int step, int stepsInRow)
        : base($"Training diverged: {stepsInRow} steps in a row up to step {step} had no finite loss and gradient. A lower learning_rate or a longer warmup usually helps.")
    {
        Step = step;
        StepsInRow = stepsInRow;
    }

    /// <summary>The optimizer step, counted from 1, at which the run gave up.</summary>
    public int Step { get; }

    /// <summary>Steps in a row without a finite loss and gradient.</summary>
    public int StepsInRow { get; }
}
