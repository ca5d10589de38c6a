namespace LangTrain.LocalHost.Processes;

/// <summary>An exclusive lock between processes, held by an open file. The system lets go of it when the holder dies.</summary>
internal sealed class FileLock : IDisposable
{
    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Takes the lock, or gives null when another process holds it.</summary>
    public static FileLock? TryTake(string path)
    {
        try
        {
            return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Takes the lock, waiting for another holder.</summary>
    public static async Task<FileLock> TakeAsync(string path, TimeSpan patience, CancellationToken cancellation)
    {
        var attempts = (int)(patience / TimeSpan.FromMilliseconds(200));
        for (var attempt = 0; ; attempt++)
        {
            if (TryTake(path) is { } taken)
            {
                return taken;
            }

            if (attempt >= attempts)
            {
                throw new StartFailedException($"Another process holds {path}. End it and start again.");
            }

            await Task.Delay(200, cancellation);
        }
    }

    public void Dispose() => _file.Dispose();
}
