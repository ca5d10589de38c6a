using System.Security.Cryptography;
using LangTrain.Contracts;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Files;

/// <summary>Key of an upload in parts. Stored in histories.</summary>
/// <param name="AccountId">Owner.</param>
/// <param name="UploadId">The upload; also the id of the orchestration that puts its parts together.</param>
public sealed record UploadRef(string AccountId, string UploadId);

/// <summary>Puts the parts of a completed upload together as its file. Thread-safe.</summary>
/// <remarks>
/// Each try writes a blob of its own, and one write of the upload's row says which of them is the file; the others go. So two at once, or one that
/// died anywhere, make one file.
/// </remarks>
public sealed class AssembleUpload(IUploadStore uploads, IFileStore files, UploadedFiles bytes, IBlobStore blobs, StorageNames names, TimeProvider time)
{
    /// <summary>Puts together what is completed and is not yet; goes on where an earlier run ended.</summary>
    /// <exception cref="InvalidOperationException">It is not completed yet: whoever does that is at it, or died before. To be tried again a little later.</exception>
    public async Task ExecuteAsync(UploadRef upload, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(upload);
        var row = await uploads.FindAsync(upload.AccountId, upload.UploadId, cancellation);
        if (row is { Value: { IsAssembling: true } assembling })
        {
            row = await DecideAsync(row, await TryCopyAsync(assembling, cancellation), cancellation);
        }

        switch (row?.Value.Status)
        {
            case UploadStatus.Completed:
                await FinishAsync(row, cancellation);
                break;
            case UploadStatus.Pending:
                throw new InvalidOperationException($"The upload {upload.UploadId} is not completed yet.");
        }
    }

    /// <summary>Copies the parts into a blob that nothing names yet, and checks them on the way.</summary>
    /// <exception cref="ApiException">400 when the MD5 is another; 409 when a part was changed or taken away meanwhile.</exception>
    internal async Task<StoredUpload> CopyAsync(UploadSession upload, IReadOnlyList<string> partIds, string? md5, CancellationToken cancellation)
    {
        await using var joined = new JoinedBlobs(blobs, names.DatasetsContainer, [.. partIds.Select(id => upload.PartsPrefix + id)]);
        await using var hashed = md5 is null ? null : new HashingStream(joined, HashAlgorithmName.MD5);
        StoredUpload content;
        try
        {
            content = await bytes.StoreAsync(upload.ContentPrefix + Ids.New("try", time), upload.Filename, (Stream?)hashed ?? joined, upload.Bytes, cancellation);
        }
        catch (FileNotFoundException)
        {
            // Whoever was faster with the same upload deletes the parts once it is a file: asked again, its row says so.
            throw ApiErrors.Conflict("upload_changed", "A part was taken away while the upload was completed.", shouldRetry: true, param: "part_ids");
        }

        try
        {
            if (content.Bytes != upload.Bytes)
            {
                throw ApiErrors.Conflict("upload_changed", "A part was written again while the upload was completed.", shouldRetry: null, param: "part_ids");
            }

            return hashed is null || hashed.Hash().Equals(md5, StringComparison.OrdinalIgnoreCase)
                ? content
                : throw ApiErrors.Invalid("The parts' content does not have the given MD5: a part was damaged or their order is another.", "md5", "md5_mismatch");
        }
        catch
        {
            await bytes.DiscardAsync(content, CancellationToken.None);
            throw;
        }
    }

    /// <summary>Draws the consequences of a completion: the file's row, and parts that go. Again after a crash anywhere inside, it ends where it would have.</summary>
    /// <returns>The upload as it stands then.</returns>
    internal async Task<UploadSession> FinishAsync(Versioned<UploadSession> row, CancellationToken cancellation)
    {
        var upload = row.Value;
        if (!upload.IsFileMade)
        {
            await files.CreateIfMissingAsync(FileOf(upload), cancellation);
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

        if (upload.IsAssembling)
        {
            return upload;
        }

        await NoteOutcomeAsync(upload, cancellation);
        await DeleteAsync(upload.ContentPrefix, upload.Content?.BlobName, cancellation);
        await DeleteAsync(upload.PartsPrefix, null, cancellation);
        return upload;
    }

    /// <summary>Deletes the parts of an upload that comes to nothing.</summary>
    internal Task DeletePartsAsync(UploadSession upload, CancellationToken cancellation) => DeleteAsync(upload.PartsPrefix, null, cancellation);

    private async Task<UploadSession> TryCopyAsync(UploadSession upload, CancellationToken cancellation)
    {
        try
        {
            return upload with { Content = await CopyAsync(upload, upload.PartIds!, upload.Md5, cancellation) };
        }
        catch (ApiException fault)
        {
            return upload with { Problem = fault.Message };
        }
    }

    private async Task<Versioned<UploadSession>?> DecideAsync(Versioned<UploadSession> row, UploadSession outcome, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                // Not to be broken off: a write whose fate is unknown must not lose the bytes that it may name.
                return await uploads.UpdateAsync(row, row.Value with { Content = outcome.Content, Problem = outcome.Problem }, CancellationToken.None);
            }
            catch (StaleWriteException)
            {
                var current = await uploads.FindAsync(outcome.AccountId, outcome.Id, cancellation);
                if (current is not { Value.IsAssembling: true })
                {
                    // Another run was faster.
                    await (outcome.Content is { } content ? bytes.DiscardAsync(content, CancellationToken.None) : Task.CompletedTask);
                    return current;
                }

                row = current;
            }
        }
    }

    /// <summary>Brings the file's row up to date where it was written before the bytes were there.</summary>
    private async Task NoteOutcomeAsync(UploadSession upload, CancellationToken cancellation)
    {
        while (await files.FindVersionAsync(upload.AccountId, upload.FileId, cancellation) is { } row)
        {
            if (row.Value.State != FileState.Assembling)
            {
                return;
            }

            try
            {
                await files.UpdateAsync(row, FileOf(upload) with { CreatedAt = row.Value.CreatedAt, ExpiresAt = row.Value.ExpiresAt }, cancellation);
                return;
            }
            catch (StaleWriteException)
            {
                // Noted by another run, or deleted by its owner: looked at again.
            }
        }

        if (upload.Content is { } content)
        {
            // The file was deleted, perhaps before it had its bytes.
            await bytes.DiscardAsync(content, cancellation);
        }
    }

    private StoredFile FileOf(UploadSession upload)
    {
        var now = time.GetUtcNow();
        return new StoredFile
        {
            Id = upload.FileId,
            AccountId = upload.AccountId,
            Filename = upload.Filename,
            Purpose = upload.Purpose,
            Bytes = upload.Bytes,
            Sha256 = upload.Content?.Sha256 ?? "",
            BlobName = upload.Content?.BlobName ?? "",
            CreatedAt = now,
            ExpiresAt = upload.FileLifetime is { } life ? now + life : null,
            State = upload.IsAssembling ? FileState.Assembling : upload.Content is null ? FileState.Failed : FileState.Ready,
            StateReason = upload.Problem,
        };
    }

    private async Task DeleteAsync(string prefix, string? except, CancellationToken cancellation)
    {
        await foreach (var blob in blobs.ListAsync(names.DatasetsContainer, prefix, cancellation))
        {
            if (blob.Name != except)
            {
                await blobs.DeleteAsync(names.DatasetsContainer, blob.Name, cancellation);
            }
        }
    }
}
