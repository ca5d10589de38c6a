using LangTrain.Inference.Cpu;

namespace LangTrain.Inference.Tests.Engine;

public class KernelThreadsTests
{
    [Fact]
    public void Every_unit_is_done_once_however_pieces_follow_each_other()
    {
        var counts = new int[3000];
        using var threads = new KernelThreads(4, (from, to, _) =>
        {
            for (var i = from; i < to; i++)
                counts[i]++; // Not interlocked: a unit done twice at a time, or before the piece before it has ended, would be lost.
        });
        var random = new Random(1);
        var expected = new int[counts.Length];
        for (var piece = 0; piece < 20_000; piece++)
        {
            var units = random.Next(1, piece % 100 == 0 ? counts.Length : 60);
            threads.Run(units, random.Next(1, 9));
            for (var i = 0; i < units; i++)
                expected[i]++;
            if (piece % 4000 == 0)
                Thread.Sleep(2); // Long enough for the helpers to fall asleep.
        }
        Assert.Equal(expected, counts);
    }

    [Fact]
    public void Helpers_take_part_after_they_slept()
    {
        using var helped = new ManualResetEventSlim();
        var waited = true;
        using var threads = new KernelThreads(2, (_, _, worker) =>
        {
            if (worker == 0)
                waited &= helped.Wait(TimeSpan.FromSeconds(20)); // The caller's block lasts until the helper has done its own.
            else
                helped.Set();
        });
        for (var round = 0; round < 3; round++)
        {
            Thread.Sleep(10);
            helped.Reset();
            threads.Run(2, 1);
            Assert.True(waited);
        }
    }
}
