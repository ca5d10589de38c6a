using LangTrain.Contracts;
using LangTrain.Contracts.Batches;
using LangTrain.Core.Datasets;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Batches;

/// <summary>Writes the files of a batch whose lines have ended or are given up, and ends it: the last step of its orchestration. Thread-safe; twice does no harm.</summary>
/// <remarks>Each line of the input has one line in one of the files, in the input's order.</remarks>
public sealed class FinishBatch(
    IBatchStore store, BatchBlobs chunks, IFileStore files, IBlobStore blobs, AnnounceBatchEnd announce, StorageNames names, TimeProvider time)
{
    /// <summary>Finishes.</summary>
    public async Task ExecuteAsync(BatchRef batch, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var ended = (await store.FindAsync(batch, cancellation))?.Value;
        if (ended is { Status: var status } && !status.IsTerminal())
        {
            var wasCancelled = status == BatchStatus.Cancelling;
            var written = await WriteAsync(ended, wasCancelled, cancellation);
            ended = await store.ChangeAsync(
                batch,
                current => current.Status.IsTerminal() ? null : current with
                {
                    Status = wasCancelled ? BatchStatus.Cancelled : written.GivenUp > 0 ? BatchStatus.Expired : BatchStatus.Completed,
                    OutputFileId = written.OutputFileId,
                    ErrorFileId = written.ErrorFileId,
                    NextChunk = current.Chunks,
                    Ended = written.Tally,
                    Current = new BatchTally(),
                    EndedAt = time.GetUtcNow(),
                },
                cancellation);
        }

        await TellAsync(ended, cancellation);
    }

    /// <summary>Ends a batch that the service could not go on with.</summary>
    public async Task FailAsync(BatchRef batch, CancellationToken cancellation = default)
    {
        var ended = await store.ChangeAsync(
            batch,
            current => current.Status.IsTerminal() ? null : current with
            {
                Status = BatchStatus.Failed,
                Problems = [new BatchProblem("internal_error", "The service could not go on with this batch. Nothing is wrong with your file; try again later.")],
                EndedAt = time.GetUtcNow(),
            },
            cancellation);
        await TellAsync(ended, cancellation);
    }

    private async Task TellAsync(Batch? ended, CancellationToken cancellation)
    {
        if (ended is not null)
        {
            await announce.ExecuteAsync(ended, cancellation);
            await chunks.DeleteAsync(ended.Ref(), cancellation);
        }
    }

    private async Task<Written> WriteAsync(Batch batch, bool wasCancelled, CancellationToken cancellation)
    {
        await using var good = Open(batch, "output");
        await using var bad = Open(batch, "error");
        var (tally, givenUp) = (new BatchTally(), 0);
        for (var chunk = 0; chunk < batch.Chunks; chunk++)
        {
            var results = await chunks.ReadResultsAsync(batch.Ref(), chunk, cancellation);
            foreach (var line in await chunks.ReadChunkAsync(batch.Ref(), chunk, cancellation))
            {
                if (!results.TryGetValue(line.Number, out var result))
                {
                    givenUp++;
                    result = wasCancelled
                        ? AnswerBatchLine.GiveUp(batch, line, "batch_cancelled", "The batch was cancelled before this request was answered.")
                        : AnswerBatchLine.GiveUp(batch, line, "batch_expired", "This request could not be answered before the completion window ended.");
                }

                var sink = result.IsGood ? good : bad;
                sink.Write(result.Output.Span);
                await sink.FlushAsync(cancellation);
                tally += new BatchTally(result.IsGood ? 1 : 0, result.IsGood ? 0 : 1, result.InputTokens, result.OutputTokens);
            }
        }

        return new Written(
            tally, givenUp,
            await RegisterAsync(batch, good, "output", cancellation),
            await RegisterAsync(batch, bad, "error", cancellation));

        BlobRowSink Open(Batch of, string kind) => BlobRowSink.Open(blobs, names.DatasetsContainer, BlobName(of, kind), cancellation);
    }

    // Ids follow from the batch's own, so that a second run makes no second file.
    private async Task<string?> RegisterAsync(Batch batch, BlobRowSink content, string kind, CancellationToken cancellation)
    {
        if (content.Bytes == 0)
        {
            return null;
        }

        var id = $"file-{kind}-{batch.Id["batch-".Length..]}";
        if (await files.FindAsync(batch.AccountId, id, cancellation) is not null)
        {
            return id; // Its row has the size and the hash of what is stored, which is left as it is.
        }

        var now = time.GetUtcNow();
        await files.CreateIfMissingAsync(new StoredFile
        {
            Id = id,
            AccountId = batch.AccountId,
            Filename = $"{batch.Id}_{kind}.jsonl",
            Purpose = "batch_output",
            Bytes = content.Bytes,
            Sha256 = await content.CompleteAsync(),
            BlobName = BlobName(batch, kind),
            CreatedAt = now,
            ExpiresAt = batch.OutputLifetime is { } lifetime ? now + lifetime : null,
        }, cancellation);
        return id;
    }

    private static string BlobName(Batch batch, string kind) => $"files/{batch.AccountId}/{batch.Id}-{kind}";

    private sealed record Written(BatchTally Tally, int GivenUp, string? OutputFileId, string? ErrorFileId);
}
