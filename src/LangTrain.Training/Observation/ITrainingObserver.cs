namespace LangTrain.Training.Observation;

/// <summary>Hears what a run does, on the training thread and in order.</summary>
/// <remarks>
/// A slow observer slows the training: hand over and return. What an observer throws ends the run, because a run whose
/// progress nobody can record must not go on in silence.
/// </remarks>
public interface ITrainingObserver
{
    /// <summary>One line for the job's log.</summary>
    void OnLog(TrainingLogLevel level, string message);

    /// <summary>An optimizer step was made.</summary>
    void OnMetrics(TrainingMetrics metrics);

    /// <summary>The evaluation data was passed.</summary>
    void OnEvaluation(EvaluationMetrics metrics);

    /// <summary>A checkpoint is complete on disk.</summary>
    void OnCheckpoint(CheckpointWritten checkpoint);

    /// <summary>The run diverged and went back to an earlier checkpoint: what was told of later steps holds no more, and later checkpoints are gone.</summary>
    /// <param name="back">Where it is again; the step after it is told anew.</param>
    void OnRolledBack(RolledBack back)
    {
    }

    /// <summary>The model wrote a sample.</summary>
    void OnSample(SampleText sample);
}
