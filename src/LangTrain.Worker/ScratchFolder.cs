namespace LangTrain.Worker;

/// <summary>A folder of one piece of work, gone with it. Of work whose process died the next start of a worker over the same disk removes it.</summary>
/// <remarks>
/// Held by a locked file beside it, which the system lets go of when the process dies. The name is the work's own, so that an attempt that was
/// thought lost and the one that took over never share one, whether in one process or in two.
/// </remarks>
internal sealed class ScratchFolder : IDisposable
{
    private const string LockExtension = ".lock";
    private readonly FileStream _held;

    /// <summary>Makes it, empty.</summary>
    /// <param name="parent">Folder of all work of this kind.</param>
    /// <param name="name">Of this piece of work alone.</param>
    /// <exception cref="IOException">The disk is full, or somebody else holds it.</exception>
    public ScratchFolder(string parent, string name)
    {
        Directory.CreateDirectory(parent);
        FullName = Path.Combine(parent, name);
        _held = Hold(FullName);
        try
        {
            Delete(FullName);
            Directory.CreateDirectory(FullName);
        }
        catch
        {
            _held.Dispose();
            throw;
        }
    }

    /// <summary>Where it is.</summary>
    public string FullName { get; }

    /// <summary>Removes what died processes left below a folder; what somebody holds, or what cannot be removed, stays.</summary>
    public static void RemoveLeftOver(string parent)
    {
        foreach (var name in Directory.Exists(parent) ? Directory.GetFileSystemEntries(parent).Select(Name).Distinct().ToArray() : [])
        {
            try
            {
                using (Hold(Path.Combine(parent, name)))
                {
                    Delete(Path.Combine(parent, name));
                }

                File.Delete(Path.Combine(parent, name + LockExtension));
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // It is in use, or not ours.
            }
        }

        static string Name(string path) =>
            Path.GetExtension(path) == LockExtension ? Path.GetFileNameWithoutExtension(path) : Path.GetFileName(path);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Delete(FullName);
            _held.Dispose();
            File.Delete(FullName + LockExtension);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The next start removes it.
            _held.Dispose();
        }
    }

    private static FileStream Hold(string folder) => new(folder + LockExtension, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
