using System.Text.Json;
using LangTrain.Contracts.Batches;
using LangTrain.Core.Errors;

namespace LangTrain.Core.Batches;

/// <summary>Notes that an owner wants no more of a batch; whoever works on it sees that within a second or so. Thread-safe.</summary>
public sealed class CancelBatch(IBatchStore store, TimeProvider time)
{
    /// <summary>The batch, cancelling. Asking twice is asking once.</summary>
    /// <exception cref="ApiException">404; 409 when it has ended or is about to.</exception>
    public async Task<Batch> ExecuteAsync(BatchRef batch, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var now = await store.ChangeAsync(
            batch,
            row => row.Status is BatchStatus.Validating or BatchStatus.InProgress
                ? row with { Status = BatchStatus.Cancelling, CancellingAt = time.GetUtcNow() }
                : null,
            cancellation) ?? throw ApiErrors.NotFound("batch", batch.BatchId);
        return now.Status is BatchStatus.Cancelling or BatchStatus.Cancelled
            ? now
            : throw ApiErrors.Conflict(
                "batch_not_cancellable", $"The batch is {JsonNamingPolicy.SnakeCaseLower.ConvertName(now.Status.ToString())} and cannot be cancelled any more.");
    }
}
