using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Azure.Storage;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Blobs;

/// <summary>Writes one block blob from a stream of any length: blocks are put beside the old content, one commit at the end makes them the new.</summary>
/// <remarks>
/// The SDK's own streaming upload names blocks by their offset, so two uploads of one blob at once would mix their blocks. Here every upload
/// has block names of its own; when two meet, one commit wins and the other fails. At most <see cref="BlocksInFlight"/> + 1 blocks are in memory.
/// </remarks>
internal static class BlockUpload
{
    /// <summary>Size of a block; 50,000 of them are the largest blob, 390 GiB.</summary>
    public const int BlockBytes = 8 * 1024 * 1024;

    private const int BlocksInFlight = 3;
    private const int MaxBlocks = 50_000;
    private const string UploadIdKey = "uploadid";

    /// <summary>Reads <paramref name="content"/> to its end and writes it.</summary>
    /// <exception cref="AlreadyExistsException">There is a blob and <paramref name="overwrite"/> is false.</exception>
    /// <exception cref="IOException">Another upload of the same blob was committed meanwhile, or the content is too long.</exception>
    public static async Task RunAsync(BlockBlobClient blob, Stream content, bool overwrite, CancellationToken cancellation)
    {
        var upload = Guid.NewGuid();
        var conditions = overwrite ? null : new BlobRequestConditions { IfNoneMatch = ETag.All };
        var metadata = new Dictionary<string, string> { [UploadIdKey] = upload.ToString("N") };
        var buffer = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            var length = await content.ReadAtLeastAsync(buffer.AsMemory(0, BlockBytes), BlockBytes, throwOnEndOfStream: false, cancellation);
            if (length < BlockBytes)
            {
                using var whole = new MemoryStream(buffer, 0, length, writable: false);
                await blob.UploadAsync(whole, new BlobUploadOptions { Conditions = conditions, Metadata = metadata }, cancellation);
                return;
            }

            if (!overwrite && await blob.ExistsAsync(cancellation))
            {
                // The commit decides; this only spares the way there.
                throw new AlreadyExistsException($"Blob {blob.BlobContainerName}/{blob.Name}");
            }

            var blocks = await StageAsync(blob, upload, buffer, content, cancellation);
            await blob.CommitBlockListAsync(blocks, new CommitBlockListOptions { Conditions = conditions, Metadata = metadata }, cancellation);
        }
        catch (RequestFailedException failure) when (failure.Status is 409 or 412 || failure.ErrorCode == BlobErrorCode.InvalidBlockList)
        {
            if (await IsOursAsync(blob, upload, cancellation))
            {
                // The answer to the commit was lost, and its repetition met the first one's work.
                return;
            }

            throw overwrite
                ? new IOException($"Blob {blob.BlobContainerName}/{blob.Name} was written by somebody else at the same time.", failure)
                : new AlreadyExistsException($"Blob {blob.BlobContainerName}/{blob.Name}", failure);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<List<string>> StageAsync(
        BlockBlobClient blob, Guid upload, byte[] firstBlock, Stream content, CancellationToken cancellation)
    {
        var names = new List<string>();
        var inFlight = new Queue<Task>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            var (buffer, length) = (firstBlock, BlockBytes);
            while (length > 0)
            {
                if (names.Count == MaxBlocks)
                {
                    throw new IOException($"Blob {blob.Name} would be longer than {(long)MaxBlocks * BlockBytes} bytes.");
                }

                names.Add(BlockName(upload, names.Count));
                inFlight.Enqueue(StageOneAsync(blob, names[^1], buffer, length, pooled: buffer != firstBlock, stop.Token));
                if (inFlight.Count >= BlocksInFlight)
                {
                    await inFlight.Dequeue();
                }

                if (length < BlockBytes)
                {
                    break;
                }

                buffer = ArrayPool<byte>.Shared.Rent(BlockBytes);
                length = 0;
                try
                {
                    length = await content.ReadAtLeastAsync(buffer.AsMemory(0, BlockBytes), BlockBytes, throwOnEndOfStream: false, cancellation);
                }
                finally
                {
                    if (length == 0)
                    {
                        ArrayPool<byte>.Shared.Return(buffer);
                    }
                }
            }

            await Task.WhenAll(inFlight);
            return names;
        }
        catch
        {
            // Buffers go back to the pool only when nothing reads them any more.
            await stop.CancelAsync();
            await Task.WhenAll(inFlight).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    private static async Task StageOneAsync(BlockBlobClient blob, string name, byte[] buffer, int length, bool pooled, CancellationToken cancellation)
    {
        try
        {
            using var block = new MemoryStream(buffer, 0, length, writable: false);
            await blob.StageBlockAsync(name, block, new BlockBlobStageBlockOptions { TransferValidation = Checksum(buffer.AsSpan(0, length)) }, cancellation);
        }
        finally
        {
            if (pooled)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    // Each block goes with its MD5 and is refused where it was damaged on the way. Azurite is three times as fast with it: without, it reckons a CRC64 in JavaScript.
    [SuppressMessage("Security", "CA5351", Justification = "Against damage, not against people; the service knows this one.")]
    private static UploadTransferValidationOptions Checksum(ReadOnlySpan<byte> block) =>
        new() { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5, PrecalculatedChecksum = MD5.HashData(block) };

    private static async Task<bool> IsOursAsync(BlockBlobClient blob, Guid upload, CancellationToken cancellation)
    {
        try
        {
            var found = await blob.GetPropertiesAsync(cancellationToken: cancellation);
            return found.Value.Metadata.TryGetValue(UploadIdKey, out var id) && id == upload.ToString("N");
        }
        catch (RequestFailedException failure) when (failure.Status == 404)
        {
            return false;
        }
    }

    // All block names of a blob must have one length.
    private static string BlockName(Guid upload, int index)
    {
        Span<byte> name = stackalloc byte[20];
        upload.TryWriteBytes(name);
        BinaryPrimitives.WriteInt32BigEndian(name[16..], index);
        return Convert.ToBase64String(name);
    }
}
