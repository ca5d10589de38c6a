using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace LangTrain.Training.Checkpoints;

/// <summary>The checkpoints of one run: folders <c>step-N</c>, each complete or not there at all.</summary>
/// <remarks>
/// Writing: all files go into a hidden folder, are flushed to the disk and hashed, the manifest follows, then one rename makes
/// the checkpoint appear. A crash at any moment leaves the older checkpoints and at most a hidden folder, which the next
/// run removes. Reading trusts nothing but a manifest whose sizes and hashes hold. One run uses a store at a time.
/// </remarks>
internal sealed class CheckpointStore
{
    private const string Prefix = "step-";
    private const string UnfinishedPrefix = ".unfinished-";
    private readonly string _folder;
    private readonly int _keepLast;
    private readonly TimeProvider _time;

    public CheckpointStore(string folder, int keepLast, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keepLast, 1);
        _folder = folder;
        _keepLast = keepLast;
        _time = time;
        Directory.CreateDirectory(folder);
        foreach (var unfinished in Directory.GetDirectories(folder, UnfinishedPrefix + "*"))
        {
            Directory.Delete(unfinished, recursive: true);
        }
    }

    /// <summary>The folder that a checkpoint of this step has or would have.</summary>
    public string FolderOf(int step) => Path.Combine(_folder, Prefix + step.ToString(CultureInfo.InvariantCulture));

    /// <summary>Writes one checkpoint, all or nothing.</summary>
    /// <param name="step">Optimizer steps made.</param>
    /// <param name="writeFiles">Writes the files, flat, into the folder it is given.</param>
    /// <returns>Size of all files; the checkpoint is in <see cref="FolderOf"/>.</returns>
    public long Write(int step, Action<string> writeFiles)
    {
        var unfinished = Path.Combine(_folder, UnfinishedPrefix + step.ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(unfinished);
        writeFiles(unfinished);

        var files = new List<CheckpointFile>();
        foreach (var path in Directory.GetFiles(unfinished).Order(StringComparer.Ordinal))
        {
            files.Add(FlushAndHash(path));
        }

        var manifest = new CheckpointManifest { Version = CheckpointManifest.CurrentVersion, Step = step, CreatedAt = _time.GetUtcNow(), Files = files };
        using (var stream = new FileStream(Path.Combine(unfinished, CheckpointManifest.FileName), FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(stream, manifest, CheckpointJsonContext.Default.CheckpointManifest);
            stream.Flush(flushToDisk: true);
        }

        DirectoryFlush.ToDisk(unfinished);
        var target = FolderOf(step);
        if (Directory.Exists(target))
        {
            // A paused run may write the step again at which it had just saved; a damaged one is replaced likewise.
            Directory.Delete(target, recursive: true);
        }

        Directory.Move(unfinished, target);
        DirectoryFlush.ToDisk(_folder);
        return files.Sum(f => f.SizeBytes);
    }

    /// <summary>The newest checkpoint whose manifest holds.</summary>
    /// <param name="onDamaged">Hears of every newer one that had to be passed over.</param>
    public string? FindNewest(Action<string>? onDamaged = null)
    {
        foreach (var (_, folder) in Steps().OrderByDescending(s => s.Step))
        {
            if (IsIntact(folder))
            {
                return folder;
            }

            onDamaged?.Invoke(folder);
        }

        return null;
    }

    /// <summary>Removes all but the last few checkpoints and the best one.</summary>
    public void Prune(int? bestStep)
    {
        foreach (var (step, folder) in Steps().OrderByDescending(s => s.Step).Skip(_keepLast))
        {
            if (step != bestStep)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    /// <summary>True if every file that the manifest names is there with its size and hash.</summary>
    public static bool IsIntact(string folder)
    {
        var manifest = CheckpointManifest.FromStored(folder);
        if (manifest is not { Version: CheckpointManifest.CurrentVersion })
        {
            return false;
        }

        foreach (var file in manifest.Files)
        {
            var path = Path.Combine(folder, file.Name);
            if (Path.GetFileName(file.Name) != file.Name || !File.Exists(path) || new FileInfo(path).Length != file.SizeBytes)
            {
                return false;
            }

            using var stream = File.OpenRead(path);
            if (!string.Equals(Convert.ToHexStringLower(SHA256.HashData(stream)), file.Sha256, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    private IEnumerable<(int Step, string Folder)> Steps()
    {
        foreach (var folder in Directory.GetDirectories(_folder, Prefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(folder).AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step))
            {
                yield return (step, folder);
            }
        }
    }

    private static CheckpointFile FlushAndHash(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        stream.Flush(flushToDisk: true);
        return new CheckpointFile(Path.GetFileName(path), stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)));
    }
}
