using System.Globalization;
using LangTrain.Contracts;
using LangTrain.Contracts.Batches;
using LangTrain.Core.Datasets;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Batches;

/// <summary>
/// The lines of batches at work, in blobs: each chunk's requests in one, its results in one for every few lines that ended together, joined when the chunk
/// is done. A line has ended once its result is in a blob; of two results of one line the first counts. Thread-safe.
/// </summary>
public sealed class BatchBlobs(IBlobStore blobs, StorageNames names, TimeProvider time)
{
    // One line may be as long as a request's body, and what stands around it.
    private static readonly DatasetLimits Limits = new() { MaxBytes = long.MaxValue, MaxLineBytes = 64 << 20 };

    internal Task WriteChunkAsync(BatchRef batch, int chunk, IEnumerable<BatchLine> lines, CancellationToken cancellation) =>
        WriteAsync(ChunkName(batch, chunk), lines.Select(line => line.ToStored()), cancellation);

    internal async Task<IReadOnlyList<BatchLine>> ReadChunkAsync(BatchRef batch, int chunk, CancellationToken cancellation)
    {
        var lines = new List<BatchLine>();
        await foreach (var line in ReadAsync(ChunkName(batch, chunk), cancellation))
        {
            lines.Add(BatchLine.FromStored(line));
        }

        return lines;
    }

    internal Task AddResultsAsync(BatchRef batch, int chunk, IEnumerable<BatchLineResult> results, CancellationToken cancellation) => WriteAsync(
        string.Create(CultureInfo.InvariantCulture, $"{ResultsPrefix(batch, chunk)}{time.GetUtcNow().UtcTicks:D20}-{Guid.NewGuid():N}.jsonl"),
        results.Select(result => result.ToStored()), cancellation);

    /// <summary>The results of a chunk's lines so far, by line.</summary>
    internal async Task<IReadOnlyDictionary<long, BatchLineResult>> ReadResultsAsync(BatchRef batch, int chunk, CancellationToken cancellation)
    {
        var results = new Dictionary<long, BatchLineResult>();
        await foreach (var blob in blobs.ListAsync(names.DatasetsContainer, ResultsPrefix(batch, chunk), cancellation))
        {
            await foreach (var line in ReadAsync(blob.Name, cancellation))
            {
                var result = BatchLineResult.FromStored(line);
                results.TryAdd(result.Number, result);
            }
        }

        return results;
    }

    /// <summary>Puts a chunk's results into one blob.</summary>
    internal async Task JoinResultsAsync(BatchRef batch, int chunk, IEnumerable<BatchLineResult> results, CancellationToken cancellation)
    {
        // Sorts before the others, so that it counts while they are being deleted.
        var whole = ResultsPrefix(batch, chunk) + "0-whole.jsonl";
        await WriteAsync(whole, results.Select(result => result.ToStored()), cancellation);
        await DeleteAsync(ResultsPrefix(batch, chunk), name => name != whole, cancellation);
    }

    /// <summary>Deletes all that belongs to a batch at work.</summary>
    internal Task DeleteAsync(BatchRef batch, CancellationToken cancellation) => DeleteAsync(Folder(batch), _ => true, cancellation);

    private async Task WriteAsync(string name, IEnumerable<byte[]> lines, CancellationToken cancellation)
    {
        await using var sink = BlobRowSink.Open(blobs, names.DatasetsContainer, name, cancellation);
        foreach (var line in lines)
        {
            sink.Write(line);
            await sink.FlushAsync(cancellation);
        }

        await sink.CompleteAsync();
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        string name, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var content = await blobs.OpenReadAsync(names.DatasetsContainer, name, 0, cancellation)
            ?? throw new IOException($"The blob {name} is gone.");
        await using var lines = await LineReader.OpenAsync(content, Limits, cancellation);
        while (await lines.FillAsync(cancellation))
        {
            while (lines.TryRead(out var line))
            {
                yield return line;
            }
        }
    }

    private async Task DeleteAsync(string prefix, Func<string, bool> which, CancellationToken cancellation)
    {
        var found = new List<string>();
        await foreach (var blob in blobs.ListAsync(names.DatasetsContainer, prefix, cancellation))
        {
            if (which(blob.Name))
            {
                found.Add(blob.Name);
            }
        }

        foreach (var name in found)
        {
            await blobs.DeleteAsync(names.DatasetsContainer, name, cancellation);
        }
    }

    private static string Folder(BatchRef batch) => $"batches/{batch.AccountId}/{batch.BatchId}/";

    private static string ChunkName(BatchRef batch, int chunk) => string.Create(CultureInfo.InvariantCulture, $"{Folder(batch)}input/{chunk:D5}.jsonl");

    private static string ResultsPrefix(BatchRef batch, int chunk) => string.Create(CultureInfo.InvariantCulture, $"{Folder(batch)}results/{chunk:D5}/");
}
