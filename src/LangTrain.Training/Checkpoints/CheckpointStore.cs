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
    private readonly Action<string> _beforeOperation;
    private readonly Func<int, bool> _isInUse;

    /// <param name="folder">Where the checkpoints are; made if absent.</param>
    /// <param name="keepLast">Checkpoints that <see cref="Prune"/> keeps, besides those that are the best.</param>
    /// <param name="time">The clock.</param>
    /// <param name="beforeOperation">Called before each change of the disk with what it is: where tests let the process die.</param>
    /// <param name="isInUse">Whether somebody reads the checkpoint of a step, which <see cref="Prune"/> then keeps.</param>
    public CheckpointStore(string folder, int keepLast, TimeProvider time, Action<string>? beforeOperation = null, Func<int, bool>? isInUse = null)
    {
        _isInUse = isInUse ?? (_ => false);
        _beforeOperation = beforeOperation ?? (_ => { });
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

    /// <summary>The step that a checkpoint's folder is named by.</summary>
    public static int StepOf(string folder) => int.Parse(Path.GetFileName(folder).AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>Writes one checkpoint, all or nothing.</summary>
    /// <param name="step">Optimizer steps made.</param>
    /// <param name="writeFiles">Writes the files, flat, into the folder it is given.</param>
    /// <returns>Size of all files; the checkpoint is in <see cref="FolderOf"/>.</returns>
    /// <exception cref="IOException">The disk is full or fails; what was written of this checkpoint is gone again, the others stand.</exception>
    public long Write(int step, Action<string> writeFiles)
    {
        var unfinished = Path.Combine(_folder, UnfinishedPrefix + step.ToString(CultureInfo.InvariantCulture));
        try
        {
            return Finish(step, unfinished, writeFiles);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            DeleteIfThere(unfinished);
            throw;
        }
    }

    private long Finish(int step, string unfinished, Action<string> writeFiles)
    {
        _beforeOperation("create " + unfinished);
        Directory.CreateDirectory(unfinished);
        writeFiles(unfinished);

        var files = new List<CheckpointFile>();
        foreach (var path in Directory.GetFiles(unfinished).Order(StringComparer.Ordinal))
        {
            _beforeOperation("flush " + path);
            files.Add(FlushAndHash(path));
        }

        var manifest = new CheckpointManifest { Version = CheckpointManifest.CurrentVersion, Step = step, CreatedAt = _time.GetUtcNow(), Files = files };
        _beforeOperation("write the manifest");
        using (var stream = new FileStream(Path.Combine(unfinished, CheckpointManifest.FileName), FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(stream, manifest, CheckpointJsonContext.Default.CheckpointManifest);
            stream.Flush(flushToDisk: true);
        }

        _beforeOperation("flush the folder");
        DirectoryFlush.ToDisk(unfinished);
        var target = FolderOf(step);
        if (Directory.Exists(target))
        {
            // Only a damaged one is in the way: a run that goes on from a checkpoint does not write it again, and one that goes back deletes first.
            _beforeOperation("delete " + target);
            Directory.Delete(target, recursive: true);
        }

        _beforeOperation("move to " + target);
        Directory.Move(unfinished, target);
        _beforeOperation("flush " + _folder);
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

    /// <summary>Removes all but the last few checkpoints, and what each of those knows as the best one: a run that goes back to it wants that.</summary>
    public void Prune()
    {
        var steps = Steps().OrderByDescending(s => s.Step).ToList();
        var best = steps.Take(_keepLast).Select(s => CheckpointFacts.BestStepOf(s.Folder)).ToHashSet();
        foreach (var (step, folder) in steps.Skip(_keepLast))
        {
            if (!best.Contains(step) && !_isInUse(step))
            {
                Delete(folder);
            }
        }
    }

    /// <summary>Goes back to the newest intact checkpoint up to a step; all later ones are deleted, the newest first.</summary>
    /// <returns>Its folder; null if there is none, and then nothing was deleted.</returns>
    public string? GoBackTo(int step)
    {
        var steps = Steps().OrderByDescending(s => s.Step).ToList();
        if (steps.FirstOrDefault(s => s.Step <= step && IsIntact(s.Folder)).Folder is not { } target)
        {
            return null;
        }

        foreach (var (_, folder) in steps.TakeWhile(s => s.Folder != target))
        {
            Delete(folder);
        }

        return target;
    }

    /// <summary>True if every file that the manifest names is there with its size and hash.</summary>
    public static bool IsIntact(string folder)
    {
        var manifest = CheckpointManifest.FromStored(folder);
        if (manifest is not { Version: CheckpointManifest.CurrentVersion, Files: not null } || manifest.Files.Any(file => file is not { Name: not null }))
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

    /// <summary>Removes one checkpoint.</summary>
    public void Delete(string folder)
    {
        // First out of sight, so that a crash in between leaves no half of a checkpoint.
        var doomed = Path.Combine(_folder, UnfinishedPrefix + "deleted-" + Path.GetFileName(folder));
        _beforeOperation("hide " + folder);
        Directory.Move(folder, doomed);
        _beforeOperation("delete " + doomed);
        Directory.Delete(doomed, recursive: true);
    }

    private static void DeleteIfThere(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The next run removes it; what went wrong before is what counts.
        }
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
