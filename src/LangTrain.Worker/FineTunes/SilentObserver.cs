using LangTrain.Training.Observation;

namespace LangTrain.Worker.FineTunes;

/// <summary>Hears of a run that nobody follows, such as an estimate. Thread-safe.</summary>
internal sealed class SilentObserver : ITrainingObserver
{
    private SilentObserver()
    {
    }

    /// <summary>The one there is.</summary>
    public static SilentObserver Instance { get; } = new();

    /// <inheritdoc/>
    public void OnLog(TrainingLogLevel level, string message)
    {
    }

    /// <inheritdoc/>
    public void OnMetrics(TrainingMetrics metrics)
    {
    }

    /// <inheritdoc/>
    public void OnEvaluation(EvaluationMetrics metrics)
    {
    }

    /// <inheritdoc/>
    public void OnCheckpoint(CheckpointWritten checkpoint)
    {
    }

    /// <inheritdoc/>
    public void OnSample(SampleText sample)
    {
    }
}
