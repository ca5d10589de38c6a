using LangTrain.Contracts;
using LangTrain.Contracts.Files;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Files;

/// <summary>Files that come in parts, through this service or straight to storage: create, add parts, complete, cancel, and give up what nobody completed. Thread-safe.</summary>
/// <remarks>
/// An upload is completed by one write of its row; what follows from it is done again by whoever comes next if this process dies in between. So
/// completing twice, or dying anywhere, makes one file. The write already knows the file's bytes, unless it is a large one
/// (<see cref="UploadOptions.MostBytesInRequest"/>): its parts are put together afterwards, by <see cref="AssembleUpload"/>.
/// </remarks>
public sealed class PartedUploads(
    IUploadStore uploads, IFileStore files, UploadedFiles bytes, AssembleUpload assembly, IBlobStore blobs, IBlobLinks links, StorageNames names, UploadOptions options, TimeProvider time)
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
    /// <param name="assembleLater">Has <see cref="AssembleUpload"/> run until it succeeds; called for a large file before its completion is written, so that one that is written is also carried out.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">404; 409 when it is no longer pending; 400 when a part is missing or size or MD5 are others.</exception>
    public async Task<UploadSession> CompleteAsync(
        string accountId, string uploadId, IReadOnlyList<string> partIds, string? md5, Func<UploadRef, Task> assembleLater, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(partIds);
        ArgumentNullException.ThrowIfNull(assembleLater);
        var reference = new UploadRef(accountId, uploadId);
        var row = await RequireAsync(accountId, uploadId, cancellation);
        if (IsCompletedWith(row.Value, partIds))
        {
            await (row.Value.IsAssembling ? assembleLater(reference) : Task.CompletedTask);
            return await assembly.FinishAsync(row, cancellation);
        }

        var upload = RequirePending(row.Value);
        await RequirePartsAsync(upload, partIds, cancellation);
        var isLarge = upload.Bytes > options.MostBytesInRequest;
        var content = isLarge ? null : await assembly.CopyAsync(upload, partIds, md5, cancellation);
        await (isLarge ? assembleLater(reference) : Task.CompletedTask);
        try
        {
            // Not to be broken off: a write whose fate is unknown must not lose the bytes that it may name.
            row = await uploads.UpdateAsync(row, upload with
            {
                Status = UploadStatus.Completed, PartIds = [.. partIds], Content = content, Md5 = isLarge ? md5 : null,
            }, CancellationToken.None);
        }
        catch (StaleWriteException)
        {
            // Completed, cancelled or given up by somebody else meanwhile.
            await (content is null ? Task.CompletedTask : bytes.DiscardAsync(content, CancellationToken.None));
            row = await RequireAsync(accountId, uploadId, cancellation);
            if (!IsCompletedWith(row.Value, partIds))
            {
                RequirePending(row.Value);
                throw ApiErrors.Conflict("upload_changed", "The upload was changed at the same time.", shouldRetry: true);
            }
        }

        return await assembly.FinishAsync(row, cancellation);
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
                await assembly.DeletePartsAsync(cancelled.Value, cancellation);
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
                    if (row.Value.Status == UploadStatus.Pending)
                    {
                        row = await uploads.UpdateAsync(row, row.Value with { Status = UploadStatus.Expired }, cancellation);
                    }
                }
                catch (StaleWriteException)
                {
                    // Somebody completes it at this very moment; the next sweep looks again.
                    continue;
                }

                if (row.Value.Status == UploadStatus.Completed)
                {
                    // Even a large one is put together here, if storage failed too long for whoever was to do it: this is the last that looks at it.
                    await assembly.ExecuteAsync(new UploadRef(due.AccountId, due.Id), cancellation);
                }
                else
                {
                    await assembly.DeletePartsAsync(row.Value, cancellation);
                }
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

    private async Task RequirePartsAsync(UploadSession upload, IReadOnlyList<string> partIds, CancellationToken cancellation)
    {
        if (partIds.Count is 0 or > MostParts || partIds.Distinct(StringComparer.Ordinal).Count() != partIds.Count)
        {
            throw ApiErrors.Invalid($"part_ids must name each part of the file once, in order; 1 to {MostParts} of them.", "part_ids");
        }

        // One listing for all: a request a part would take minutes where there are thousands.
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        await foreach (var blob in blobs.ListAsync(names.DatasetsContainer, upload.PartsPrefix, cancellation))
        {
            sizes[blob.Name[upload.PartsPrefix.Length..]] = blob.Bytes;
        }

        var total = 0L;
        for (var i = 0; i < partIds.Count; i++)
        {
            // The id becomes a blob's name: nothing but an id of ours may.
            total += Ids.IsOf("part", partIds[i]) && sizes.TryGetValue(partIds[i], out var size)
                ? size
                : throw ApiErrors.Invalid($"The upload has no part '{ApiErrors.Shorten(partIds[i])}', or its bytes have not come.", $"part_ids[{i}]", "part_not_found");
        }

        if (total != upload.Bytes)
        {
            throw ApiErrors.Invalid($"The parts have {total} bytes together; the upload was to have {upload.Bytes}.", "part_ids", "bytes_mismatch");
        }
    }
}
