using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using LangTrain.Contracts.FineTunes;

namespace LangTrain.AzureAdapters.Blobs;

/// <summary>Reads the blobs of a job's log, line by line, from any place between two lines. Stateless.</summary>
internal static class JobLogReader
{
    /// <summary>Largest batch of lines that is written at once, and so the longest line.</summary>
    public const int MaxBatchBytes = 4 * 1024 * 1024;

    private const int Attempts = 3;

    /// <summary>One blob of a job's log.</summary>
    public static AppendBlobClient Segment(BlobContainerClient container, FineTuneRef job, int segment) => container.GetAppendBlobClient(
        string.Create(CultureInfo.InvariantCulture, $"{job.AccountId}/{job.JobId}/events-{segment:D5}.jsonl"));

    /// <summary>The lines after a place, as far as they are stored; among them the closing lines of blobs, whose <see cref="LogEntry.Next"/> is the next blob.</summary>
    public static async IAsyncEnumerable<LogEntry> ReadAsync(
        BlobContainerClient container, FineTuneRef job, LogPosition from, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var position = from;
        while (await ReadChunkAsync(Segment(container, job, position.Segment), position.Offset, cancellation) is { } chunk)
        {
            var ended = false;
            var start = 0;
            for (int length; !ended && (length = chunk.Content.Span[start..].IndexOf((byte)'\n')) >= 0; start += length + 1)
            {
                var line = Parse(chunk.Content.Span.Slice(start, length), job, position);
                ended = line.IsSegmentEnd;
                position = ended ? new LogPosition(position.Segment + 1, 0) : position with { Offset = position.Offset + length + 1 };
                yield return new LogEntry(line, position);
            }

            if (!ended && (chunk.IsLast || start == 0))
            {
                yield break;
            }
        }
    }

    private static EventLine Parse(ReadOnlySpan<byte> line, FineTuneRef job, LogPosition at)
    {
        try
        {
            return JsonSerializer.Deserialize(line, EventLineJson.Default.EventLine) ?? throw new JsonException("It is null.");
        }
        catch (JsonException unreadable)
        {
            throw new InvalidDataException($"The log of {job.JobId} has a line that cannot be read, segment {at.Segment}, byte {at.Offset}.", unreadable);
        }
    }

    // Null when there is nothing at that place: no blob, no container, or the blob ends there.
    private static async Task<Chunk?> ReadChunkAsync(AppendBlobClient blob, long offset, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var options = new BlobDownloadOptions { Range = new Azure.HttpRange(offset, MaxBatchBytes) };
                var read = (await blob.DownloadContentAsync(options, cancellation)).Value;
                var content = read.Content.ToMemory();
                var total = long.Parse(read.Details.ContentRange.AsSpan(read.Details.ContentRange.LastIndexOf('/') + 1), NumberStyles.None, CultureInfo.InvariantCulture);
                return new Chunk(content, offset + content.Length >= total);
            }
            catch (RequestFailedException failure) when (failure.Status is 404 or 416)
            {
                return null;
            }
            catch (RequestFailedException failure) when (failure.Status == 412 && attempt < Attempts)
            {
                // The connection broke, and when the client took it up again the log had grown: what was there is there still.
            }
        }
    }

    private sealed record Chunk(ReadOnlyMemory<byte> Content, bool IsLast);
}
