using LangTrain.Contracts.Batches;
using LangTrain.Functions.FineTunes;
using Microsoft.DurableTask.Client;

namespace LangTrain.Functions.Batches;

/// <summary>Starts the orchestrations of batches; doing it twice does no harm.</summary>
internal static class BatchOrchestrations
{
    /// <summary>Makes sure that the batch's orchestration was started.</summary>
    /// <param name="client">The orchestrations.</param>
    /// <param name="batch">A batch that has not ended.</param>
    /// <param name="restartEnded">Start it anew where it has ended though the batch has not: it failed by an error of its own.</param>
    /// <param name="cancellation">Stops it.</param>
    public static Task EnsureStartedAsync(this DurableTaskClient client, BatchRef batch, bool restartEnded, CancellationToken cancellation) =>
        client.EnsureStartedAsync(BatchFunctionNames.Orchestration, batch.BatchId, batch, restartEnded, cancellation);
}
