using System.Runtime.InteropServices;

namespace LangTrain.Modeling;

/// <summary>Whole pages of this process's memory, from the system and back to it. Linux only; the constants are those of its sys/mman.h.</summary>
internal static partial class MemoryPages
{
    private const int ReadWrite = 3, PrivateAnonymous = 0x22, DontNeed = 4, HugePages = 14;

    /// <summary>New pages, zero.</summary>
    /// <param name="bytes">How many bytes, above 0.</param>
    /// <returns>Where they start; 0 if the system has no more memory.</returns>
    public static nint Map(long bytes)
    {
        nint start = Map(0, (nuint)bytes, ReadWrite, PrivateAnonymous, -1, 0);
        if (start == -1)
        {
            return 0;
        }

        // Fewer faults and fewer misses of the address cache; where the system does not allow it, nothing is lost.
        _ = Advise(start, (nuint)bytes, HugePages);
        return start;
    }

    /// <summary>Gives back pages that <see cref="Map(long)"/> gave.</summary>
    public static void Unmap(nint start, long bytes) => _ = Unmap(start, (nuint)bytes);

    /// <summary>Lets the system take back the whole pages of a range that it can read again from their file.</summary>
    public static void Forget(nint start, long bytes)
    {
        // What lies beside the range shares its first and its last page.
        nint page = Environment.SystemPageSize, from = (start + page - 1) / page * page, length = (start + (nint)bytes) / page * page - from;
        if (length > 0)
        {
            _ = Advise(from, (nuint)length, DontNeed);
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
