using System.Runtime.CompilerServices;
using LangTrain.Contracts.Batches;

namespace LangTrain.Core.Batches;

/// <summary>Finds batches that somebody died over: written, but perhaps without an orchestration. Thread-safe.</summary>
public sealed class SweepBatches(IBatchStore store, TimeProvider time)
{
    // Younger than this the request that wrote it is most likely still at it.
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(30);

    /// <summary>Batches that have not ended and should have an orchestration.</summary>
    public async IAsyncEnumerable<BatchRef> FindAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var batch in store.ListActiveAsync(cancellation))
        {
            if (await store.FindAsync(batch, cancellation) is { } row && !row.Value.Status.IsTerminal() && time.GetUtcNow() - row.Value.CreatedAt > Age)
            {
                yield return batch;
            }
        }
    }
}
