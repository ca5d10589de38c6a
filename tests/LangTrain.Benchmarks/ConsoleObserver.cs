using LangTrain.Training.Observation;

namespace LangTrain.Benchmarks;

/// <summary>Prints a run's progress, one line every few steps.</summary>
internal sealed class ConsoleObserver(int every) : ITrainingObserver
{
    public void OnLog(TrainingLogLevel level, string message) => Console.WriteLine($"{level}: {message}");

    public void OnMetrics(TrainingMetrics metrics)
    {
        if (metrics.Step % every == 0 || metrics.Step == metrics.TotalSteps)
        {
            Console.WriteLine(FormattableString.Invariant(
                $"step {metrics.Step}/{metrics.TotalSteps}  epoch {metrics.Epoch:f2}  loss {metrics.Loss:f4}  lr {metrics.LearningRate:e2}  norm {metrics.GradientNorm:f2}  {metrics.TokensPerSecond:f0} tokens/s  eta {metrics.EtaSeconds:f0} s  {metrics.MemoryBytes >> 20} MB"));
        }
    }

    public void OnEvaluation(EvaluationMetrics metrics) =>
        Console.WriteLine(FormattableString.Invariant($"  evaluation: loss {metrics.Loss:f4}, token accuracy {metrics.TokenAccuracy:p1}{(metrics.IsBest ? ", best" : "")}"));

    public void OnCheckpoint(CheckpointWritten checkpoint) =>
        Console.WriteLine($"  checkpoint {Path.GetFileName(checkpoint.Folder)}, {checkpoint.SizeBytes >> 10} KB");

    public void OnSample(SampleText sample) => Console.WriteLine($"  {sample.Prompt.ReplaceLineEndings("⏎")} -> {sample.Completion.ReplaceLineEndings("⏎")} (expected {sample.Expected.ReplaceLineEndings("⏎")})");
}
