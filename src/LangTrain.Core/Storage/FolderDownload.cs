using System.Security.Cryptography;

namespace LangTrain.Core.Storage;

/// <summary>A folder on its way: files gather in a hidden folder beside the target and appear by one rename. Held by one process at a time.</summary>
internal sealed class FolderDownload : IDisposable
{
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(100);
    private readonly string _target;
    private readonly string _unfinished;
    private readonly FileStream _lock;

    private FolderDownload(string target, string unfinished, FileStream held) => (_target, _unfinished, _lock) = (target, unfinished, held);

    /// <summary>Waits until nobody else fetches the same folder, and takes up what an earlier try left.</summary>
    public static async Task<FolderDownload> BeginAsync(string localFolder, CancellationToken cancellation)
    {
        var target = Path.GetFullPath(localFolder);
        var parent = Path.GetDirectoryName(target) ?? throw new ArgumentException("It has no parent.", nameof(localFolder));
        Directory.CreateDirectory(parent);
        var unfinished = Path.Combine(parent, ".unfinished-" + Path.GetFileName(target));
        while (true)
        {
            try
            {
                // The system lets go of it when the process dies. The file stays: deleting it could give two processes two different ones.
                var held = new FileStream(unfinished + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                Directory.CreateDirectory(unfinished);
                return new FolderDownload(target, unfinished, held);
            }
            catch (IOException) when (File.Exists(unfinished + ".lock"))
            {
                await Task.Delay(LockPoll, cancellation);
            }
        }
    }

    /// <summary>Whether a file is there as the manifest has it.</summary>
    public async Task<bool> HoldsAsync(FolderFile file, CancellationToken cancellation)
    {
        var path = PathOf(file);
        if (!File.Exists(path) || new FileInfo(path).Length != file.Bytes)
        {
            return false;
        }

        await using var content = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellation)) == file.Sha256;
    }

    /// <summary>Writes a file and holds it against the manifest.</summary>
    /// <exception cref="InvalidDataException">It is not what the manifest says, or lies outside the folder.</exception>
    public async Task WriteAsync(FolderFile file, Stream content, CancellationToken cancellation)
    {
        var path = PathOf(file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using var target = File.Create(path);
        await using var hashed = new HashingStream(content);
        await hashed.CopyToAsync(target, cancellation);
        // The folder is trusted once it is there, also after the power went.
        await target.FlushAsync(cancellation);
        target.Flush(flushToDisk: true);
        if (target.Length != file.Bytes || hashed.Hash() != file.Sha256)
        {
            throw new InvalidDataException($"'{file.Name}' does not hold what its manifest says.");
        }
    }

    /// <summary>Makes the folder appear, with the files of the manifest and no others.</summary>
    public void Finish(FolderManifest manifest)
    {
        var named = manifest.Files.Select(PathOf).ToHashSet(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(_unfinished, "*", SearchOption.AllDirectories).Where(path => !named.Contains(path)).ToArray())
        {
            File.Delete(path);
        }

        Directory.Move(_unfinished, _target);
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private string PathOf(FolderFile file)
    {
        var path = Path.GetFullPath(Path.Combine(_unfinished, file.Name));
        return path.StartsWith(_unfinished + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new InvalidDataException($"The manifest names a file outside its folder: '{file.Name}'.");
    }
}
