using System.Security.Cryptography;
using System.Text.Json;

namespace LangTrain.Core.Storage;

/// <summary>Copies folders to blobs and back, whole or not at all: base models, adapters, checkpoints. Thread-safe, stateless.</summary>
/// <remarks>
/// Up: the files, then <see cref="FolderManifest"/>. A folder without manifest does not exist for anybody. Down: into a hidden folder beside
/// the target, each file held against its hash, then one rename. A folder's own <c>manifest.json</c> cannot be copied: the name is taken.
/// </remarks>
public sealed class BlobFolder(IBlobStore blobs)
{
    /// <summary>Uploads all files below a local folder; files that are there already with the same content are not sent again.</summary>
    /// <param name="container">Container.</param>
    /// <param name="prefix">Folder of blobs, without a slash at its end.</param>
    /// <param name="localFolder">What to upload.</param>
    /// <param name="progress">Told the bytes done so far.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The folder's revision: SHA-256 of its manifest, lower-case hex.</returns>
    public async Task<string> UploadAsync(
        string container, string prefix, string localFolder, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        var files = new List<FolderFile>();
        foreach (var path in Directory.EnumerateFiles(localFolder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(localFolder, path).Replace(Path.DirectorySeparatorChar, '/');
            if (name == FolderManifest.FileName)
            {
                throw new ArgumentException($"The folder has a {FolderManifest.FileName} of its own; that name is the upload's.", nameof(localFolder));
            }

            files.Add(new FolderFile(name, new FileInfo(path).Length, await HashAsync(path, cancellation)));
        }

        var manifest = new FolderManifest(files, files.Sum(file => file.Bytes));
        var before = await FindManifestAsync(container, prefix, cancellation);
        var done = 0L;
        foreach (var file in files)
        {
            // Only a complete older upload tells what its files hold.
            if (before is null || !before.Value.Manifest.Files.Contains(file))
            {
                await using var content = File.OpenRead(Path.Combine(localFolder, file.Name));
                await blobs.WriteAsync(container, $"{prefix}/{file.Name}", content, cancellation: cancellation);
            }

            progress?.Report(done += file.Bytes);
        }

        var bytes = JsonSerializer.SerializeToUtf8Bytes(manifest, FolderManifestJson.Default.FolderManifest);
        var revision = Convert.ToHexStringLower(SHA256.HashData(bytes));
        if (before?.Revision != revision)
        {
            await blobs.WriteAsync(container, $"{prefix}/{FolderManifest.FileName}", new MemoryStream(bytes), cancellation: cancellation);
        }

        return revision;
    }

    /// <summary>Downloads a complete folder; one that is there already is left as it is.</summary>
    /// <param name="container">Container.</param>
    /// <param name="prefix">Folder of blobs, without a slash at its end.</param>
    /// <param name="localFolder">Made by this call, whole; its parent is made where absent.</param>
    /// <param name="cancellation">Stops it, leaving nothing.</param>
    /// <returns>False when there is no complete folder of this name.</returns>
    /// <exception cref="InvalidDataException">A file does not hold what the manifest says.</exception>
    public async Task<bool> TryDownloadAsync(string container, string prefix, string localFolder, CancellationToken cancellation = default)
    {
        if (Directory.Exists(localFolder))
        {
            return true;
        }

        if (await FindManifestAsync(container, prefix, cancellation) is not { } found)
        {
            return false;
        }

        var target = Path.GetFullPath(localFolder);
        var unfinished = Path.Combine(Path.GetDirectoryName(target)!, $".unfinished-{Guid.NewGuid():N}");
        Directory.CreateDirectory(unfinished);
        try
        {
            foreach (var file in found.Manifest.Files)
            {
                await DownloadAsync(container, prefix, file, unfinished, cancellation);
            }

            try
            {
                Directory.Move(unfinished, target);
            }
            catch (IOException) when (Directory.Exists(target))
            {
                // Somebody else was faster; both hold the same.
            }

            return true;
        }
        finally
        {
            if (Directory.Exists(unfinished))
            {
                Directory.Delete(unfinished, recursive: true);
            }
        }
    }

    /// <summary>The revision of a complete folder; null when there is none.</summary>
    public async Task<string?> FindRevisionAsync(string container, string prefix, CancellationToken cancellation = default) =>
        (await FindManifestAsync(container, prefix, cancellation))?.Revision;

    /// <summary>Names of the complete folders directly below a prefix.</summary>
    /// <param name="container">Container.</param>
    /// <param name="prefix">Ends with a slash, or is empty.</param>
    /// <param name="cancellation">Stops it.</param>
    public async IAsyncEnumerable<string> ListCompleteAsync(
        string container, string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
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
        await blobs.DeleteAsync(container, $"{prefix}/{FolderManifest.FileName}", cancellation);
        await foreach (var blob in blobs.ListAsync(container, prefix + "/", cancellation))
        {
            await blobs.DeleteAsync(container, blob.Name, cancellation);
        }
    }

    private async Task<(FolderManifest Manifest, string Revision)?> FindManifestAsync(string container, string prefix, CancellationToken cancellation)
    {
        await using var stored = await blobs.OpenReadAsync(container, $"{prefix}/{FolderManifest.FileName}", cancellation: cancellation);
        if (stored is null)
        {
            return null;
        }

        var buffer = new MemoryStream();
        await stored.CopyToAsync(buffer, cancellation);
        var bytes = buffer.ToArray();
        var manifest = JsonSerializer.Deserialize(bytes, FolderManifestJson.Default.FolderManifest)
            ?? throw new InvalidDataException($"The manifest of '{prefix}' is empty.");
        return (manifest, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    private async Task DownloadAsync(string container, string prefix, FolderFile file, string folder, CancellationToken cancellation)
    {
        var path = Path.GetFullPath(Path.Combine(folder, file.Name));
        if (!path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"The manifest of '{prefix}' names a file outside its folder.");
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using (var content = await blobs.OpenReadAsync(container, $"{prefix}/{file.Name}", cancellation: cancellation)
            ?? throw new InvalidDataException($"'{file.Name}' of '{prefix}' is missing."))
        await using (var target = File.Create(path))
        {
            await content.CopyToAsync(target, cancellation);
        }

        if (new FileInfo(path).Length != file.Bytes || await HashAsync(path, cancellation) != file.Sha256)
        {
            throw new InvalidDataException($"'{file.Name}' of '{prefix}' does not hold what its manifest says.");
        }
    }

    private static async Task<string> HashAsync(string path, CancellationToken cancellation)
    {
        await using var content = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellation));
    }
}
