using LangTrain.Training.Observation;

namespace LangTrain.Training.Tests.Recipes;

/// <summary>Keeps everything that a run tells, and lets a test act at a moment of it.</summary>
internal sealed class RecordingObserver : ITrainingObserver
{
    public List<string> Log { get; } = [];
    public List<TrainingMetrics> Metrics { get; } = [];
    public List<EvaluationMetrics> Evaluations { get; } = [];
    public List<CheckpointWritten> Checkpoints { get; } = [];
    public List<SampleText> Samples { get; } = [];
    public List<RolledBack> RolledBack { get; } = [];
    public Action<TrainingMetrics>? AfterStep { get; init; }

    public IReadOnlyList<double> Losses => [.. Metrics.Select(m => m.Loss)];

    public void OnLog(TrainingLogLevel level, string message) => Log.Add($"{level}: {message}");

    public void OnMetrics(TrainingMetrics metrics)
    {
        Metrics.Add(metrics);
        AfterStep?.Invoke(metrics);
    }

    public void OnEvaluation(EvaluationMetrics metrics) => Evaluations.Add(metrics);

    public void OnCheckpoint(CheckpointWritten checkpoint) => Checkpoints.Add(checkpoint);

    public void OnRolledBack(RolledBack back) => RolledBack.Add(back);

    public void OnSample(SampleText sample) => Samples.Add(sample);
}
