using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace LangTrain.Core.Storage;

/// <summary>Copies folders to blobs and back, whole or not at all: base models, adapters, checkpoints. Thread-safe, stateless.</summary>
/// <remarks>
/// Up: the files, then <see cref="FolderManifest"/>; a folder without a manifest does not exist for anybody. Down: into a hidden folder beside
/// the target, each file held against its hash, then one rename. Either way, what an earlier try got right is not copied again.
/// </remarks>
public sealed class BlobFolder(IBlobStore blobs)
{
    /// <summary>Uploads all files below a local folder; files that are there already with the same content are not sent again.</summary>
    /// <param name="container">Container.</param>
    /// <param name="prefix">Folder of blobs, without a slash at its end.</param>
    /// <param name="localFolder">What to upload; nobody changes it meanwhile.</param>
    /// <param name="progress">Told the bytes done so far.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The folder's revision: SHA-256 of its manifest, lower-case hex.</returns>
    /// <exception cref="IOException">A file was changed while it was read.</exception>
    public async Task<string> UploadAsync(
        string container, string prefix, string localFolder, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        var manifest = await DescribeAsync(localFolder, cancellation);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(manifest, FolderManifestJson.Default.FolderManifest);
        var revision = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var (before, isUnreadable) = await FindOlderAsync(container, prefix, cancellation);
        if (before?.Revision == revision)
        {
            progress?.Report(manifest.TotalBytes);
            return revision;
        }

        if (before is not null || isUnreadable)
        {
            // From the first changed file on it would promise what is no longer there.
            await blobs.DeleteAsync(container, ManifestBlob(prefix), cancellation);
        }

        var done = 0L;
        foreach (var file in manifest.Files)
        {
            // A complete older upload says what its files hold; after a broken one a file of the right size is read and compared.
            var isThere = before is { } old ? old.Manifest.Files.Contains(file) : await HoldsAsync(container, prefix, file, cancellation);
            if (!isThere)
            {
                await UploadFileAsync(container, prefix, localFolder, file, cancellation);
            }

            progress?.Report(done += file.Bytes);
        }

        using var content = new MemoryStream(bytes, writable: false);
        await blobs.WriteAsync(container, ManifestBlob(prefix), content, cancellation: cancellation);
        return revision;
    }

    /// <inheritdoc cref="TryDownloadAsync(string, string, string, IProgress{long}, CancellationToken)"/>
    public Task<bool> TryDownloadAsync(string container, string prefix, string localFolder, CancellationToken cancellation = default) =>
        TryDownloadAsync(container, prefix, localFolder, null, cancellation);

    /// <summary>Downloads a complete folder; one that is there already is left as it is.</summary>
    /// <param name="container">Container.</param>
    /// <param name="prefix">Folder of blobs, without a slash at its end.</param>
    /// <param name="localFolder">Appears whole; its parent is made where absent. Several processes may ask for the same one.</param>
    /// <param name="progress">Told the bytes done so far.</param>
    /// <param name="cancellation">Stops it; what was fetched is kept for the next try.</param>
    /// <returns>False when there is no complete folder of this name.</returns>
    /// <exception cref="InvalidDataException">A file does not hold what the manifest says.</exception>
    public async Task<bool> TryDownloadAsync(string container, string prefix, string localFolder, IProgress<long>? progress, CancellationToken cancellation)
    {
        if (Directory.Exists(localFolder))
        {
            return true;
        }

        if (await FindManifestAsync(container, prefix, cancellation) is not { } found)
        {
            return false;
        }

        using var download = await FolderDownload.BeginAsync(localFolder, cancellation);
        if (Directory.Exists(localFolder))
        {
            // Somebody else was faster.
            return true;
        }

        var done = 0L;
        foreach (var file in found.Manifest.Files)
        {
            if (!await download.HoldsAsync(file, cancellation))
            {
                await using var content = await blobs.OpenReadAsync(container, BlobName(prefix, file), cancellation: cancellation)
                    ?? throw new InvalidDataException($"'{file.Name}' of '{prefix}' is missing.");
                await download.WriteAsync(file, content, cancellation);
            }

            progress?.Report(done += file.Bytes);
        }

        download.Finish(found.Manifest);
        return true;
    }

    /// <summary>The revision of a complete folder; null when there is none.</summary>
    public async Task<string?> FindRevisionAsync(string container, string prefix, CancellationToken cancellation = default) =>
        (await FindManifestAsync(container, prefix, cancellation))?.Revision;

    /// <summary>What belongs to a complete folder; null when there is none.</summary>
    public async Task<FolderManifest?> FindAsync(string container, string prefix, CancellationToken cancellation = default) =>
        (await FindManifestAsync(container, prefix, cancellation))?.Manifest;

    /// <summary>Whether a folder is complete and every file that its manifest names is there, in its size.</summary>
    public async Task<bool> IsWholeAsync(string container, string prefix, CancellationToken cancellation = default)
    {
        try
        {
            if (await FindManifestAsync(container, prefix, cancellation) is not { } found)
            {
                return false;
            }

            foreach (var file in found.Manifest.Files)
            {
                if ((await blobs.FindAsync(container, BlobName(prefix, file), cancellation))?.Bytes != file.Bytes)
                {
                    return false;
                }
            }

            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>Opens one file of a folder that is known to be complete, as it is stored.</summary>
    /// <returns>Its content; null when it is not there.</returns>
    public Task<Stream?> OpenFileAsync(string container, string prefix, string name, CancellationToken cancellation = default) =>
        blobs.OpenReadAsync(container, $"{prefix}/{name}", cancellation: cancellation);

    /// <summary>Names of the complete folders directly below a prefix.</summary>
    /// <param name="container">Container.</param>
    /// <param name="prefix">Ends with a slash, or is empty.</param>
    /// <param name="cancellation">Stops it.</param>
    public async IAsyncEnumerable<string> ListCompleteAsync(
        string container, string prefix, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var blob in blobs.ListAsync(container, prefix, cancellation))
        {
            var parts = blob.Name[prefix.Length..].Split('/');
            if (parts is [var folder, FolderManifest.FileName])
            {
                yield return folder;
            }
        }
    }

    /// <summary>Deletes a folder: the manifest first, so that nobody meets half of it.</summary>
    public async Task DeleteAsync(string container, string prefix, CancellationToken cancellation = default)
    {
        await blobs.DeleteAsync(container, ManifestBlob(prefix), cancellation);
        await foreach (var blob in blobs.ListAsync(container, prefix + "/", cancellation))
        {
            await blobs.DeleteAsync(container, blob.Name, cancellation);
        }
    }

    // What cannot be read is overwritten like anything else that is no complete folder.
    private async Task<((FolderManifest Manifest, string Revision)? Found, bool IsUnreadable)> FindOlderAsync(string container, string prefix, CancellationToken cancellation)
    {
        try
        {
            return (await FindManifestAsync(container, prefix, cancellation), false);
        }
        catch (InvalidDataException)
        {
            return (null, true);
        }
    }

    private static async Task<FolderManifest> DescribeAsync(string localFolder, CancellationToken cancellation)
    {
        var files = new List<FolderFile>();
        foreach (var path in Directory.EnumerateFiles(localFolder, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(localFolder, path).Replace(Path.DirectorySeparatorChar, '/');
            if (name == FolderManifest.OwnManifestBlob)
            {
                throw new ArgumentException($"The folder has a file '{name}', a name that uploads use themselves.", nameof(localFolder));
            }

            await using var content = File.OpenRead(path);
            var hash = await SHA256.HashDataAsync(content, cancellation);
            files.Add(new FolderFile(name, content.Length, Convert.ToHexStringLower(hash)));
        }

        files.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return new FolderManifest(files, files.Sum(file => file.Bytes));
    }

    private async Task UploadFileAsync(string container, string prefix, string localFolder, FolderFile file, CancellationToken cancellation)
    {
        await using (var content = File.OpenRead(Path.Combine(localFolder, file.Name)))
        {
            await using var hashed = new HashingStream(content);
            await blobs.WriteAsync(container, BlobName(prefix, file), hashed, cancellation: cancellation);
            if (hashed.Hash() == file.Sha256)
            {
                return;
            }
        }

        throw new IOException($"'{file.Name}' was changed while it was uploaded.");
    }

    private async Task<bool> HoldsAsync(string container, string prefix, FolderFile file, CancellationToken cancellation)
    {
        if ((await blobs.FindAsync(container, BlobName(prefix, file), cancellation))?.Bytes != file.Bytes
            || await blobs.OpenReadAsync(container, BlobName(prefix, file), cancellation: cancellation) is not { } content)
        {
            return false;
        }

        await using (content)
        {
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellation)) == file.Sha256;
        }
    }

    private async Task<(FolderManifest Manifest, string Revision)?> FindManifestAsync(string container, string prefix, CancellationToken cancellation)
    {
        await using var stored = await blobs.OpenReadAsync(container, ManifestBlob(prefix), cancellation: cancellation);
        if (stored is null)
        {
            return null;
        }

        using var buffer = new MemoryStream();
        await stored.CopyToAsync(buffer, cancellation);
        var bytes = buffer.ToArray();
        try
        {
            var manifest = JsonSerializer.Deserialize(bytes, FolderManifestJson.Default.FolderManifest);
            if (manifest?.Files is null || manifest.Files.Any(file => file is not { Name.Length: > 0, Bytes: >= 0, Sha256: not null }))
            {
                throw new JsonException("Something of it is missing.");
            }

            return (manifest, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }
        catch (JsonException unreadable)
        {
            throw new InvalidDataException($"The manifest of '{prefix}' cannot be read.", unreadable);
        }
    }

    private static string ManifestBlob(string prefix) => $"{prefix}/{FolderManifest.FileName}";

    private static string BlobName(string prefix, FolderFile file) =>
        $"{prefix}/{(file.Name == FolderManifest.FileName ? FolderManifest.OwnManifestBlob : file.Name)}";
}
