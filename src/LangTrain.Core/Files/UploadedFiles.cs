using LangTrain.Contracts;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Files;

/// <summary>The bytes of an upload, stored, that no file row names yet.</summary>
/// <param name="BlobName">Blob in the datasets container.</param>
/// <param name="Filename">Name the owner gave.</param>
/// <param name="Bytes">Size.</param>
/// <param name="Sha256">Of the content, lower-case hex.</param>
public sealed record StoredUpload(string BlobName, string Filename, long Bytes, string Sha256);

/// <summary>Uploads, reads and deletes the files of accounts. Thread-safe.</summary>
public sealed class UploadedFiles(IFileStore files, IBlobStore blobs, StorageNames names, TimeProvider time)
{
    /// <summary>Largest file.</summary>
    public const long MaxBytes = 1L << 30;

    /// <summary>Shortest and longest life of a file that is to expire, seconds.</summary>
    public const int ShortestLifeSeconds = 3600, LongestLifeSeconds = 30 * 24 * 3600;

    /// <summary>What files may be for.</summary>
    public static IReadOnlyList<string> Purposes { get; } = ["fine-tune", "batch", "user_data", "model"];

    /// <summary>Stores the bytes of an upload as they come. What is known only after them (OpenAI's clients send <c>purpose</c> last) follows with <see cref="CreateAsync"/>.</summary>
    /// <exception cref="ApiException">413.</exception>
    public Task<StoredUpload> StoreAsync(string accountId, string? filename, Stream content, CancellationToken cancellation = default) =>
        StoreAsync($"files/{accountId}/{Ids.New("upload", time)}", filename, content, MaxBytes, cancellation);

    /// <summary>As above, in a blob of the caller's choice and for content of another size.</summary>
    /// <exception cref="ApiException">413.</exception>
    internal async Task<StoredUpload> StoreAsync(string blob, string? filename, Stream content, long maxBytes, CancellationToken cancellation)
    {
        using var measured = new MeasuredStream(content, maxBytes, "The file");
        await blobs.WriteAsync(names.DatasetsContainer, blob, measured, overwrite: false, cancellation);
        return new StoredUpload(blob, CleanName(filename), measured.Bytes, measured.Sha256());
    }

    /// <summary>Deletes the bytes of an upload that comes to nothing.</summary>
    public Task DiscardAsync(StoredUpload upload, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(upload);
        return blobs.DeleteAsync(names.DatasetsContainer, upload.BlobName, cancellation);
    }

    /// <summary>Makes a file of stored bytes. Running it again with one seed gives the same file.</summary>
    /// <param name="accountId">Owner.</param>
    /// <param name="upload">The bytes.</param>
    /// <param name="purpose">One of <see cref="Purposes"/>; checked.</param>
    /// <param name="lifetime">After which it is deleted, or null.</param>
    /// <param name="seed">Last part of its id.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">400: no such purpose, or the file is empty.</exception>
    public async Task<StoredFile> CreateAsync(
        string accountId, StoredUpload upload, string? purpose, TimeSpan? lifetime, string seed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(upload);
        var problems = new RequestProblems();
        ReadPurpose(purpose, problems);
        if (upload.Bytes == 0)
        {
            problems.Add("file", "The file is empty.", "empty_file");
        }

        problems.ThrowIfAny();
        var now = time.GetUtcNow();
        var file = new StoredFile
        {
            Id = "file-" + seed,
            AccountId = accountId,
            Filename = upload.Filename,
            Purpose = purpose!,
            Bytes = upload.Bytes,
            Sha256 = upload.Sha256,
            BlobName = upload.BlobName,
            CreatedAt = now,
            ExpiresAt = lifetime is { } span ? now + span : null,
        };
        try
        {
            await files.CreateAsync(file, cancellation);
            return file;
        }
        catch (AlreadyExistsException)
        {
            // The first run of this request died after it made the file; its bytes are the same.
            await DiscardAsync(upload, cancellation);
            return await files.FindAsync(accountId, file.Id, cancellation) ?? file;
        }
    }

    /// <summary>Whether a file is there, expired or not.</summary>
    public async Task<bool> ExistsAsync(string accountId, string fileId, CancellationToken cancellation = default) =>
        await files.FindVersionAsync(accountId, fileId, cancellation) is not null;

    /// <summary>A file.</summary>
    /// <exception cref="ApiException">404.</exception>
    public async Task<StoredFile> GetAsync(string accountId, string fileId, CancellationToken cancellation = default) =>
        (await GetVersionAsync(accountId, fileId, cancellation)).Value;

    /// <summary>A file with its version.</summary>
    /// <exception cref="ApiException">404.</exception>
    internal async Task<Versioned<StoredFile>> GetVersionAsync(string accountId, string fileId, CancellationToken cancellation) =>
        await files.FindVersionAsync(accountId, fileId, cancellation) is { } file && (file.Value.ExpiresAt is not { } end || end > time.GetUtcNow())
            ? file
            : throw ApiErrors.NotFound("file", fileId);

    /// <summary>Opens a file's bytes.</summary>
    /// <exception cref="ApiException">404.</exception>
    public async Task<(StoredFile File, Stream Content)> OpenAsync(string accountId, string fileId, CancellationToken cancellation = default)
    {
        var file = await GetAsync(accountId, fileId, cancellation);
        return (file, await OpenAsync(file, 0, cancellation));
    }

    /// <summary>Opens a file's bytes from an offset.</summary>
    /// <exception cref="ApiException">404; 409 where they are not put together yet.</exception>
    public async Task<Stream> OpenAsync(StoredFile file, long offset, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        return await blobs.OpenReadAsync(names.DatasetsContainer, file.RequireReady().BlobName, offset, cancellation) ?? throw ApiErrors.NotFound("file", file.Id);
    }

    /// <summary>A page of an account's files.</summary>
    public Task<Page<StoredFile>> ListAsync(string accountId, PageRequest page, string? purpose, CancellationToken cancellation = default) =>
        files.ListAsync(accountId, page, purpose, cancellation);

    /// <summary>Deletes what has expired, of all accounts: for the sweep.</summary>
    /// <returns>Number of files deleted.</returns>
    public async Task<int> DeleteExpiredAsync(CancellationToken cancellation = default)
    {
        var count = 0;
        await foreach (var file in files.ListExpiredAsync(time.GetUtcNow(), cancellation))
        {
            // The blob first here: if this dies in between, the row is found again.
            await DeleteBytesAsync(file, cancellation);
            count += await files.DeleteAsync(file.AccountId, file.Id, cancellation) ? 1 : 0;
        }

        return count;
    }

    /// <summary>Deletes the bytes of a file whose row is gone, or is about to. Those of one that is being put together go by themselves, once whoever does it finds its row gone.</summary>
    internal Task DeleteBytesAsync(StoredFile file, CancellationToken cancellation) =>
        file.State == FileState.Ready ? blobs.DeleteAsync(names.DatasetsContainer, file.BlobName, cancellation) : Task.CompletedTask;

    /// <summary>A purpose as it was given; what is wrong with it is noted.</summary>
    public static string? ReadPurpose(string? purpose, RequestProblems problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (purpose is null || !Purposes.Contains(purpose))
        {
            var given = purpose is null ? "" : $", not '{ApiErrors.Shorten(purpose)}'";
            problems.Add("purpose", $"purpose must be one of {string.Join(", ", Purposes.Select(word => $"'{word}'"))}{given}.", purpose is null ? "missing_required_parameter" : "invalid_value");
        }

        return purpose;
    }

    /// <summary>A file's name without its path and what is no text of one line; never empty.</summary>
    public static string CleanName(string? filename)
    {
        var name = new string([.. (filename ?? "").Split('/', '\\')[^1].Where(c => !char.IsControl(c) && c != '"')]).Trim();
        return name.Length switch { 0 => "upload", > 200 => name[..200], _ => name };
    }
}
