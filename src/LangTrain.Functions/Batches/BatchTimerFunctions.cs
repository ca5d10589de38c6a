using LangTrain.Core.Batches;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.Batches;

/// <summary>Puts right what somebody died over.</summary>
public sealed class BatchTimerFunctions(SweepBatches sweep)
{
    /// <summary>Each minute: batches without orchestration are started.</summary>
    [Function("SweepBatches")]
    public async Task SweepAsync(
        [TimerTrigger("15 * * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient orchestrations, CancellationToken cancellation)
    {
        await foreach (var batch in sweep.FindAsync(cancellation))
        {
            await orchestrations.EnsureStartedAsync(batch, restartEnded: true, cancellation);
        }
    }
}
