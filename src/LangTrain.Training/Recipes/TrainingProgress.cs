using LangTrain.Training.Observation;

namespace LangTrain.Training.Recipes;

/// <summary>Measures how fast a run goes and how long it still takes, and its highest memory.</summary>
internal sealed class TrainingProgress(TimeProvider time, double elapsedSecondsBefore)
{
    // The rate is that of about the last so many steps: old enough to be calm, young enough to follow a busier machine.
    private const double Smoothing = 0.9;
    private readonly long _startedAt = time.GetTimestamp();
    private long _stepStartedAt = time.GetTimestamp();
    private double _weight;
    private double _secondsPerStep;
    private double _tokensPerStep;

    /// <summary>Training time over all attempts.</summary>
    public double ElapsedSeconds => elapsedSecondsBefore + time.GetElapsedTime(_startedAt).TotalSeconds;

    /// <summary>Highest resident memory seen.</summary>
    public long PeakMemoryBytes { get; private set; } = Environment.WorkingSet;

    /// <summary>Forgets the time since the last step: evaluation and checkpoints are not training.</summary>
    public void RestartStep() => _stepStartedAt = time.GetTimestamp();

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
    public TrainingMetrics Complete(TrainingMetrics metrics) => metrics with
    {
        TokensPerSecond = _secondsPerStep > 0 ? _tokensPerStep / _secondsPerStep : 0,
        EtaSeconds = _weight > 0 ? _secondsPerStep / _weight * (metrics.TotalSteps - metrics.Step) : 0,
        MemoryBytes = Environment.WorkingSet,
    };
}
