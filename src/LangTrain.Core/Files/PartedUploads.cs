using System.Security.Cryptography;
using LangTrain.Contracts;
using LangTrain.Contracts.Files;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Files;

/// <summary>Files that come in parts, through this service or straight to storage: create, add parts, complete, cancel, and give up what nobody completed. Thread-safe.</summary>
/// <remarks>
/// An upload is completed by one write of its row, which already knows the file's bytes; the file's own row follows and is written again by whoever
/// comes next if this process dies in between. So completing twice, or dying anywhere, makes one file.
/// </remarks>
public sealed class PartedUploads(
    IUploadStore uploads, IFileStore files, UploadedFiles bytes, IBlobStore blobs, IBlobLinks links, StorageNames names, TimeProvider time)
{
    /// <summary>Largest part that is sent through this service.</summary>
    public const long MaxPartBytes = 64L << 20;

    private const int MostParts = 10_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(24), LinkLifetime = TimeSpan.FromHours(1);
    private static readonly Dictionary<string, string> DirectHeaders = new(StringComparer.Ordinal) { ["x-ms-blob-type"] = "BlockBlob" };

    /// <summary>Begins an upload, or finds the one that an earlier try of the same request began.</summary>
    /// <param name="accountId">Owner.</param>
    /// <param name="request">What will come.</param>
    /// <param name="seed">Last part of its id.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<UploadSession> CreateAsync(string accountId, UploadRequest request, string seed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var now = time.GetUtcNow();
        var upload = new UploadSession
        {
            Id = "upload-" + seed,
            AccountId = accountId,
            Filename = request.Filename,
            Purpose = request.Purpose,
            Bytes = request.Bytes,
            FileLifetime = request.Lifetime,
            CreatedAt = now,
            ExpiresAt = now + Lifetime,
        };
        try
        {
            await uploads.CreateAsync(upload, cancellation);
            return upload;
        }
        catch (AlreadyExistsException)
        {
            return (await RequireAsync(accountId, upload.Id, cancellation)).Value;
        }
    }

    /// <summary>An upload.</summary>
    /// <exception cref="ApiException">404.</exception>
    public async Task<UploadSession> GetAsync(string accountId, string uploadId, CancellationToken cancellation = default) =>
        (await RequireAsync(accountId, uploadId, cancellation)).Value;

    /// <summary>Stores a part that comes through this service.</summary>
    /// <exception cref="ApiException">404; 409 when it is no longer pending; 413.</exception>
    public async Task<UploadPartAnswer> StorePartAsync(string accountId, string uploadId, Stream content, CancellationToken cancellation = default)
    {
        var upload = RequirePending((await RequireAsync(accountId, uploadId, cancellation)).Value);
        var part = NewPart(upload);
        using var measured = new Http.MeasuredStream(content, MaxPartBytes, "The part");
        await blobs.WriteAsync(names.DatasetsContainer, upload.PartsPrefix + part.Id, measured, overwrite: true, cancellation);
        return part;
    }

    /// <summary>Gives out a part that its owner sends straight to storage.</summary>
    /// <exception cref="ApiException">404; 409 when it is no longer pending.</exception>
    public async Task<UploadPartAnswer> LinkPartAsync(string accountId, string uploadId, CancellationToken cancellation = default)
    {
        var upload = RequirePending((await RequireAsync(accountId, uploadId, cancellation)).Value);
        var part = NewPart(upload);
        // Not beyond the upload's own end, at which its parts are deleted for good.
        var left = upload.ExpiresAt - time.GetUtcNow();
        var life = left < LinkLifetime ? left : LinkLifetime;
        var url = await links.ToWriteAsync(names.DatasetsContainer, upload.PartsPrefix + part.Id, life, cancellation);
        return part with { Direct = new StorageLink("PUT", url, DirectHeaders, (time.GetUtcNow() + life).ToUnixTimeSeconds()) };
    }

    /// <summary>Makes a file of the parts.</summary>
    /// <param name="accountId">Owner.</param>
    /// <param name="uploadId">The upload.</param>
    /// <param name="partIds">All parts of the file in their order.</param>
    /// <param name="md5">MD5 that the whole must have, hex; null where the owner does not say.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">404; 409 when it is no longer pending; 400 when a part is missing or size or MD5 are others.</exception>
    public async Task<UploadSession> CompleteAsync(
        string accountId, string uploadId, IReadOnlyList<string> partIds, string? md5, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(partIds);
        var row = await RequireAsync(accountId, uploadId, cancellation);
        if (IsCompletedWith(row.Value, partIds))
        {
            return await FinishAsync(row, cancellation);
        }

        var upload = RequirePending(row.Value);
        var sizes = await SizesAsync(upload, partIds, cancellation);
        await using var joined = new JoinedBlobs(blobs, names.DatasetsContainer, [.. partIds.Select(id => upload.PartsPrefix + id)]);
        await using var hashed = new HashingStream(joined, HashAlgorithmName.MD5);
        var content = await bytes.StoreAsync(accountId, upload.Filename, hashed, upload.Bytes, cancellation);
        try
        {
            if (content.Bytes != sizes)
            {
                throw ApiErrors.Conflict("upload_changed", "A part was written again while the upload was completed.", shouldRetry: null, param: "part_ids");
            }

            if (md5 is not null && !md5.Equals(hashed.Hash(), StringComparison.OrdinalIgnoreCase))
            {
                throw ApiErrors.Invalid("The parts' content does not have the given MD5: a part was damaged or their order is another.", "md5", "md5_mismatch");
            }
        }
        catch
        {
            await bytes.DiscardAsync(content, CancellationToken.None);
            throw;
        }

        try
        {
            // Not to be broken off: a write whose fate is unknown must not lose the bytes that it may name.
            row = await uploads.UpdateAsync(row, upload with { Status = UploadStatus.Completed, PartIds = [.. partIds], Content = content }, CancellationToken.None);
        }
        catch (StaleWriteException)
        {
            // Completed, cancelled or given up by somebody else meanwhile.
            await bytes.DiscardAsync(content, CancellationToken.None);
            row = await RequireAsync(accountId, uploadId, cancellation);
            if (!IsCompletedWith(row.Value, partIds))
            {
                RequirePending(row.Value);
                throw ApiErrors.Conflict("upload_changed", "The upload was changed at the same time.", shouldRetry: true);
            }
        }

        return await FinishAsync(row, cancellation);
    }

    /// <summary>Gives an upload up. Doing it twice does no harm.</summary>
    /// <exception cref="ApiException">404; 409 when it is completed.</exception>
    public async Task<UploadSession> CancelAsync(string accountId, string uploadId, CancellationToken cancellation = default)
    {
        while (true)
        {
            var row = await RequireAsync(accountId, uploadId, cancellation);
            if (row.Value.Status == UploadStatus.Cancelled)
            {
                return row.Value;
            }

            RequirePending(row.Value);
            try
            {
                var cancelled = await uploads.UpdateAsync(row, row.Value with { Status = UploadStatus.Cancelled }, cancellation);
                await DeletePartsAsync(cancelled.Value, cancellation);
                return cancelled.Value;
            }
            catch (StaleWriteException)
            {
                // Decided again on the row as it is now.
            }
        }
    }

    /// <summary>Ends the uploads whose time is over, of all accounts: for the sweep.</summary>
    /// <returns>Number of uploads settled.</returns>
    public async Task<int> SweepAsync(CancellationToken cancellation = default)
    {
        var count = 0;
        await foreach (var due in uploads.ListDueAsync(time.GetUtcNow(), cancellation))
        {
            if (await uploads.FindAsync(due.AccountId, due.Id, cancellation) is { } row)
            {
                try
                {
                    row = row.Value.Status switch
                    {
                        UploadStatus.Pending => await uploads.UpdateAsync(row, row.Value with { Status = UploadStatus.Expired }, cancellation),
                        UploadStatus.Completed => row with { Value = await FinishAsync(row, cancellation) },
                        _ => row,
                    };
                }
                catch (StaleWriteException)
                {
                    // Somebody completes it at this very moment; the next sweep looks again.
                    continue;
                }

                await DeletePartsAsync(row.Value, cancellation);
            }

            await uploads.SettleAsync(due, cancellation);
            count++;
        }

        return count;
    }

    /// <summary>How an upload is shown.</summary>
    public async Task<UploadAnswer> ToAnswerAsync(UploadSession upload, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(upload);
        var file = upload.Status == UploadStatus.Completed ? await files.FindAsync(upload.AccountId, upload.FileId, cancellation) : null;
        return new UploadAnswer
        {
            Id = upload.Id,
            Bytes = upload.Bytes,
            CreatedAt = upload.CreatedAt.ToUnixTimeSeconds(),
            ExpiresAt = upload.ExpiresAt.ToUnixTimeSeconds(),
            Filename = upload.Filename,
            Purpose = upload.Purpose,
            Status = StatusAt(upload, time.GetUtcNow()).ToString().ToLowerInvariant(),
            File = file?.ToAnswer(),
        };
    }

    private static UploadStatus StatusAt(UploadSession upload, DateTimeOffset now) =>
        upload.Status == UploadStatus.Pending && upload.ExpiresAt <= now ? UploadStatus.Expired : upload.Status;

    private static bool IsCompletedWith(UploadSession upload, IReadOnlyList<string> partIds) =>
        upload.Status == UploadStatus.Completed && upload.PartIds is { } completed && completed.SequenceEqual(partIds, StringComparer.Ordinal);

    private UploadSession RequirePending(UploadSession upload) => StatusAt(upload, time.GetUtcNow()) is var status && status == UploadStatus.Pending
        ? upload
        : throw ApiErrors.Conflict("upload_not_pending", $"The upload is {status.ToString().ToLowerInvariant()}; parts are taken and completed while it is pending.");

    private async Task<Versioned<UploadSession>> RequireAsync(string accountId, string uploadId, CancellationToken cancellation) =>
        await uploads.FindAsync(accountId, uploadId, cancellation) ?? throw ApiErrors.NotFound("upload", uploadId);

    private UploadPartAnswer NewPart(UploadSession upload) =>
        new() { Id = Ids.New("part", time), UploadId = upload.Id, CreatedAt = time.GetUtcNow().ToUnixTimeSeconds() };

    private async Task<long> SizesAsync(UploadSession upload, IReadOnlyList<string> partIds, CancellationToken cancellation)
    {
        if (partIds.Count is 0 or > MostParts || partIds.Distinct(StringComparer.Ordinal).Count() != partIds.Count)
        {
            throw ApiErrors.Invalid($"part_ids must name each part of the file once, in order; 1 to {MostParts} of them.", "part_ids");
        }

        var total = 0L;
        for (var i = 0; i < partIds.Count; i++)
        {
            // The id is a blob's name: nothing but an id of ours may become one.
            var found = Ids.IsOf("part", partIds[i]) ? await blobs.FindAsync(names.DatasetsContainer, upload.PartsPrefix + partIds[i], cancellation) : null;
            total += found?.Bytes ?? throw ApiErrors.Invalid($"The upload has no part '{ApiErrors.Shorten(partIds[i])}', or its bytes have not come.", $"part_ids[{i}]", "part_not_found");
        }

        return total == upload.Bytes
            ? total
            : throw ApiErrors.Invalid($"The parts have {total} bytes together; the upload was to have {upload.Bytes}.", "part_ids", "bytes_mismatch");
    }

    private async Task<UploadSession> FinishAsync(Versioned<UploadSession> row, CancellationToken cancellation)
    {
        var upload = row.Value;
        if (!upload.IsFileMade)
        {
            var content = upload.Content ?? throw new InvalidOperationException("A completed upload has its content.");
            var now = time.GetUtcNow();
            try
            {
                await files.CreateAsync(new StoredFile
                {
                    Id = upload.FileId,
                    AccountId = upload.AccountId,
                    Filename = upload.Filename,
                    Purpose = upload.Purpose,
                    Bytes = content.Bytes,
                    Sha256 = content.Sha256,
                    BlobName = content.BlobName,
                    CreatedAt = now,
                    ExpiresAt = upload.FileLifetime is { } life ? now + life : null,
                }, cancellation);
            }
            catch (AlreadyExistsException)
            {
                // Whoever was here before died, or is, at the next line.
            }

            try
            {
                upload = (await uploads.UpdateAsync(row, upload with { IsFileMade = true }, cancellation)).Value;
            }
            catch (StaleWriteException)
            {
                // Noted by somebody else.
                upload = upload with { IsFileMade = true };
            }
        }

        await DeletePartsAsync(upload, cancellation);
        return upload;
    }

    private async Task DeletePartsAsync(UploadSession upload, CancellationToken cancellation)
    {
        await foreach (var blob in blobs.ListAsync(names.DatasetsContainer, upload.PartsPrefix, cancellation))
        {
            await blobs.DeleteAsync(names.DatasetsContainer, blob.Name, cancellation);
        }
    }
}
