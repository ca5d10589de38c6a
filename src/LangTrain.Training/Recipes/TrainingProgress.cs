using LangTrain.Training.Observation;

namespace LangTrain.Training.Recipes;

/// <summary>Measures how fast a run goes and how long it still takes, and its highest memory.</summary>
/// <param name="time">The clock.</param>
/// <param name="startedAt">When this attempt began, by the clock's timestamps.</param>
/// <param name="elapsedSecondsBefore">Training time of earlier attempts.</param>
/// <param name="closingSeconds">What the check of the result is expected to take.</param>
internal sealed class TrainingProgress(TimeProvider time, long startedAt, double elapsedSecondsBefore, double closingSeconds = 0)
{
    // The rate is that of about the last so many steps: old enough to be calm, young enough to follow a busier machine.
    private const double Smoothing = 0.9;
    private long _stepStartedAt = time.GetTimestamp();
    private double _weight;
    private double _secondsPerStep;
    private double _tokensPerStep;
    private double? _evaluationSeconds;
    private double _checkpointSeconds;

    /// <summary>Training time over all attempts.</summary>
    public double ElapsedSeconds => elapsedSecondsBefore + time.GetElapsedTime(startedAt).TotalSeconds;

    /// <summary>Highest resident memory seen.</summary>
    public long PeakMemoryBytes { get; private set; } = Environment.WorkingSet;

    /// <summary>Forgets the time since the last step: evaluation and checkpoints are not training.</summary>
    public void RestartStep() => _stepStartedAt = time.GetTimestamp();

    /// <summary>Notes that an evaluation followed the step.</summary>
    public void EvaluationDone()
    {
        _evaluationSeconds = time.GetElapsedTime(_stepStartedAt).TotalSeconds;
        RestartStep();
    }

    /// <summary>Notes that a checkpoint was written after that.</summary>
    public void CheckpointDone()
    {
        _checkpointSeconds = time.GetElapsedTime(_stepStartedAt).TotalSeconds;
        RestartStep();
    }

    /// <summary>Notes one step of so many tokens.</summary>
    public void StepDone(int tokens)
    {
        var now = time.GetTimestamp();
        // A frozen clock must not make a rate infinite.
        var seconds = Math.Max(1e-6, time.GetElapsedTime(_stepStartedAt, now).TotalSeconds);
        _stepStartedAt = now;
        _weight = Smoothing * _weight + (1 - Smoothing);
        _secondsPerStep = Smoothing * _secondsPerStep + (1 - Smoothing) * seconds;
        _tokensPerStep = Smoothing * _tokensPerStep + (1 - Smoothing) * tokens;
        PeakMemoryBytes = Math.Max(PeakMemoryBytes, Environment.WorkingSet);
    }

    /// <summary>Adds rate, remaining time and memory to a step's numbers.</summary>
    /// <param name="metrics">The numbers.</param>
    /// <param name="evaluationsLeft">Evaluations that are still to come.</param>
    /// <param name="evaluationSteps">What an evaluation is expected to take until one was made, in steps.</param>
    /// <param name="checkpointsLeft">Checkpoints that are still to come.</param>
    public TrainingMetrics Complete(TrainingMetrics metrics, int evaluationsLeft, double evaluationSteps, int checkpointsLeft)
    {
        var secondsPerStep = _weight > 0 ? _secondsPerStep / _weight : 0;
        return metrics with
        {
            TokensPerSecond = _secondsPerStep > 0 ? _tokensPerStep / _secondsPerStep : 0,
            EtaSeconds = secondsPerStep * (metrics.TotalSteps - metrics.Step) + evaluationsLeft * (_evaluationSeconds ?? evaluationSteps * secondsPerStep)
                + checkpointsLeft * _checkpointSeconds + closingSeconds,
            MemoryBytes = Environment.WorkingSet,
        };
    }
}
