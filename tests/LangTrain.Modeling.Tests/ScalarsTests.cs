using static TorchSharp.torch;

namespace LangTrain.Modeling.Tests;

public sealed class ScalarsTests
{
    [Fact]
    public void Numbers_are_the_same_where_garbage_is_collected_while_operators_read_them()
    {
        using var stop = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            // More threads than cores, so that some are put aside within an operator.
            Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, thread =>
            {
                using var scope = NewDisposeScope();
                var x = full([4], Scalars.Of(3));
                for (var i = 0; i < 5_000; i++)
                {
                    using var step = NewDisposeScope();
                    var y = x.mul(Scalars.Of(0.5)).Plus(x).AddInPlace(x).pow(Scalars.Of(2L)).sub(Scalars.Of(i));
                    Assert.Equal(56.25f - i, y[3].item<float>());
                }
            });
        }
        finally
        {
            stop.Cancel();
            collector.Join();
        }
    }
}
