using LangTrain.Training.Optimization;

namespace LangTrain.Training.Tests.Optimization;

public sealed class LearningRateScheduleTests
{
    // Expected values by hand: peak 1, warmup 2, 10 steps; cosine 0.5 * (1 + cos(pi * (step - 2) / 8)).
    [Theory]
    [InlineData(LearningRateDecay.Cosine, 0, 0.5)]
    [InlineData(LearningRateDecay.Cosine, 1, 1.0)]
    [InlineData(LearningRateDecay.Cosine, 2, 1.0)]
    [InlineData(LearningRateDecay.Cosine, 6, 0.5)]
    [InlineData(LearningRateDecay.Cosine, 9, 0.0380602337)]
    [InlineData(LearningRateDecay.Linear, 1, 1.0)]
    [InlineData(LearningRateDecay.Linear, 4, 0.75)]
    [InlineData(LearningRateDecay.Linear, 9, 0.125)]
    [InlineData(LearningRateDecay.Constant, 0, 0.5)]
    [InlineData(LearningRateDecay.Constant, 9, 1.0)]
    public void Rate_warms_up_then_decays(LearningRateDecay decay, int step, double expected) =>
        Assert.Equal(expected, new LearningRateSchedule(decay, 1.0, warmupSteps: 2, totalSteps: 10).At(step), 1e-9);

    [Fact]
    public void Without_warmup_the_first_step_has_the_peak() =>
        Assert.Equal(3e-4, new LearningRateSchedule(LearningRateDecay.Cosine, 3e-4, 0, 5).At(0));

    [Fact]
    public void Warmup_longer_than_the_run_ends_at_the_peak() =>
        Assert.Equal(1.0, new LearningRateSchedule(LearningRateDecay.Linear, 1.0, 100, 4).At(3));
}
