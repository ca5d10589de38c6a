using System.Runtime.InteropServices;

namespace LangTrain.Training.Checkpoints;

/// <summary>Makes names of a folder (new files, renames) survive a power cut; .NET flushes only the contents of files.</summary>
internal static class DirectoryFlush
{
    public static void ToDisk(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return; // NTFS journals its metadata and has no call for it.
        }

        var descriptor = Open(folder, 0);
        if (descriptor < 0)
        {
            throw new IOException($"Cannot open the folder {folder} to flush it: error {Marshal.GetLastPInvokeError()}.");
        }

        try
        {
            // Some network file systems refuse to flush a folder; they have no weaker promise to fall back on.
            _ = Flush(descriptor);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Flush(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int Close(int descriptor);
}
