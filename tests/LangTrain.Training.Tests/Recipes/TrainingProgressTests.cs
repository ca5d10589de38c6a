using LangTrain.Training.Observation;
using LangTrain.Training.Recipes;

namespace LangTrain.Training.Tests.Recipes;

/// <summary>The time that is still to go.</summary>
public sealed class TrainingProgressTests
{
    private readonly HandClock _time = new();

    [Fact]
    public void What_is_left_counts_evaluations_checkpoints_and_the_check_of_the_result()
    {
        var progress = new TrainingProgress(_time, _time.GetTimestamp(), elapsedSecondsBefore: 100, closingSeconds: 7);
        Step(progress, 2);
        // 8 steps of 2 s, 3 evaluations that nobody has made yet, of 1.5 steps each, 4 checkpoints of unknown length, and the check.
        Assert.Equal(16 + 9 + 7, Left(progress, step: 2, evaluations: 3, checkpoints: 4), 1e-9);

        Pass(5);
        progress.EvaluationDone();
        Pass(1);
        progress.CheckpointDone();
        Step(progress, 2);
        Assert.Equal(14 + 2 * 5 + 3 * 1 + 7, Left(progress, step: 3, evaluations: 2, checkpoints: 3), 1e-9);
        Assert.Equal(110, progress.ElapsedSeconds);
    }

    private void Step(TrainingProgress progress, double seconds)
    {
        progress.RestartStep();
        Pass(seconds);
        progress.StepDone(10);
    }

    private void Pass(double seconds) => _time.Seconds += seconds;

    private static double Left(TrainingProgress progress, int step, int evaluations, int checkpoints) => progress.Complete(
        new TrainingMetrics
        {
            Epoch = 1, Step = step, TotalSteps = 10, Loss = 1, SmoothedLoss = 1, LearningRate = 1, GradientNorm = 1, TokensPerSecond = 0, EtaSeconds = 0, MemoryBytes = 0, TrainedTokens = 1,
        },
        evaluations, evaluationSteps: 1.5, checkpoints).EtaSeconds;

    private sealed class HandClock : TimeProvider
    {
        public double Seconds { get; set; }

        public override long GetTimestamp() => (long)Math.Round(Seconds * TimestampFrequency);
    }
}
