using LangTrain.Training.Batches;

namespace LangTrain.Training.Tests.Batches;

public sealed class BatchPlannerTests
{
    private static readonly int[] Lengths = [.. Enumerable.Range(0, 101).Select(i => 3 + i * 37 % 50)];

    [Theory]
    [InlineData(null)]
    [InlineData(64)]
    public void Every_example_is_in_an_epoch_once(int? packedRowLength)
    {
        var indexes = new BatchPlanner(Lengths, 4, 2, packedRowLength, seed: 5).PlanEpoch(0)
            .SelectMany(s => s.MicroBatches).SelectMany(m => m).SelectMany(r => r);
        Assert.Equal(Enumerable.Range(0, Lengths.Length), indexes.Order());
    }

    [Fact]
    public void Packed_rows_fit_and_are_well_filled()
    {
        var rows = new BatchPlanner(Lengths, 4, 2, packedRowLength: 64, seed: 5).PlanEpoch(0).SelectMany(s => s.MicroBatches).SelectMany(m => m).ToArray();
        Assert.All(rows, row => Assert.InRange(row.Sum(i => Lengths[i]), 1, 64));
        Assert.True(Lengths.Sum() > 0.85 * 64 * rows.Length);
    }

    [Fact]
    public void Accumulation_shares_a_step_between_the_same_examples_as_one_large_batch()
    {
        var large = new BatchPlanner(Lengths, 8, 1, null, seed: 5).PlanEpoch(3);
        var accumulated = new BatchPlanner(Lengths, 2, 4, null, seed: 5).PlanEpoch(3);
        Assert.Equal(large.Select(Examples), accumulated.Select(Examples));
        Assert.All(accumulated.Take(5), s => Assert.InRange(s.MicroBatches.Length, 1, 4));
    }

    [Fact]
    public void Order_depends_on_seed_and_epoch_only()
    {
        var planner = new BatchPlanner(Lengths, 4, 1, null, seed: 5);
        Assert.Equal(planner.PlanEpoch(1).Select(Examples), new BatchPlanner(Lengths, 4, 1, null, seed: 5).PlanEpoch(1).Select(Examples));
        Assert.NotEqual(planner.PlanEpoch(0).Select(Examples), planner.PlanEpoch(1).Select(Examples));
        Assert.NotEqual(planner.PlanEpoch(0).Select(Examples), new BatchPlanner(Lengths, 4, 1, null, seed: 6).PlanEpoch(0).Select(Examples));
    }

    [Fact]
    public void Rows_of_a_micro_batch_have_similar_lengths()
    {
        var padding = new BatchPlanner(Lengths, 4, 1, null, seed: 5).PlanEpoch(0).SelectMany(s => s.MicroBatches)
            .Sum(m => m.Sum(r => m.Max(o => Lengths[o[0]]) - Lengths[r[0]]));
        Assert.True(padding < 0.1 * Lengths.Sum());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(64)]
    public void Counting_ends_at_its_limit(int? packed) =>
        Assert.Equal(7, new BatchPlanner(Lengths, 4, 1, packed, seed: 5).CountSteps(int.MaxValue, limit: 7));

    private static string Examples(StepPlan step) => string.Join(',', step.MicroBatches.SelectMany(m => m).SelectMany(r => r));
}
