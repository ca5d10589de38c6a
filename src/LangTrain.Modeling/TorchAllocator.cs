using System.Runtime.InteropServices;

namespace LangTrain.Modeling;

/// <summary>Has libtorch take the memory of large CPU tensors from <see cref="LargeBlocks"/>; everything else stays with its own allocator.</summary>
/// <remarks>
/// glibc cannot put an aligned block into the hole that one of the same size left once anything small has settled at its edge: with it, the memory of a training
/// process grew by a tenth each step. The allocator is a C++ object, made here from a copy of the table of libtorch's own with two entries replaced. This
/// holds for the System V calling convention of x64 and the class of libtorch 2.10, whose TorchSharp is pinned; where the table or its result look
/// different, libtorch keeps its own.
/// </remarks>
internal static unsafe class TorchAllocator
{
    private const string Library = "c10";
    private const long SmallestLarge = 128 << 10;
    private const int HeadWords = 2, TableWords = 6, AllocateAt = 2, ResultWords = 4;
    private const byte Priority = 1;

    private static LargeBlocks? s_blocks;
    private static nint s_original;
    private static delegate* unmanaged<nint*, nint, nuint, nint> s_allocate;
    private static delegate* unmanaged<nint, void> s_free;
    private static int s_contextAt, s_deleterAt, s_rawDeleterAt;

    /// <summary>Where the memory comes from; null if libtorch kept its own allocator.</summary>
    public static LargeBlocks? Blocks => s_blocks;

    /// <summary>Installs it; once a process, after libtorch is loaded.</summary>
    public static void Install()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64 || s_blocks is not null)
        {
            return;
        }

        nint original;
        try
        {
            original = GetAllocator();
        }
        catch (Exception error) when (error is EntryPointNotFoundException or DllNotFoundException)
        {
            return;
        }

        nint* table = *(nint**)original;
        var allocate = (delegate* unmanaged<nint*, nint, nuint, nint>)table[AllocateAt];
        if (!ReadsResult(original, allocate))
        {
            return;
        }

        // Lives as long as the process, as libtorch wants it.
        nint* own = (nint*)NativeMemory.AllocZeroed((nuint)(1 + HeadWords + TableWords), (nuint)sizeof(nint));
        nint* ownTable = own + 1 + HeadWords;
        new Span<nint>(table - HeadWords, HeadWords + TableWords).CopyTo(new Span<nint>(own + 1, HeadWords + TableWords));
        ownTable[AllocateAt] = (nint)(delegate* unmanaged<nint*, nint, nuint, nint>)&Allocate;
        ownTable[s_rawDeleterAt] = (nint)(delegate* unmanaged<nint, nint>)&RawDeleter;
        *own = (nint)ownTable;
        s_original = original;
        s_allocate = allocate;
        s_blocks = new LargeBlocks();
        SetAllocator((nint)own, Priority);
    }

    /// <summary>
    /// Learns from a small block where the result has its data (c10::DataPtr: data, then context and deleter in the order of the C++ library, then the device),
    /// and which entry of the table tells the deleter: one of the two after the allocation, both of which only look.
    /// </summary>
    private static bool ReadsResult(nint original, delegate* unmanaged<nint*, nint, nuint, nint> allocate)
    {
        nint* result = stackalloc nint[ResultWords];
        if (allocate(result, original, 64) != (nint)result || result[0] == 0)
        {
            return false;
        }

        s_contextAt = result[1] == result[0] ? 1 : 2;
        s_deleterAt = 3 - s_contextAt;
        if (result[s_contextAt] != result[0] || result[s_deleterAt] == 0)
        {
            return false;
        }

        nint* table = *(nint**)original;
        bool Tells(int entry) => ((delegate* unmanaged<nint, nint*, nint>)table[entry])(original, result) == result[s_deleterAt];
        s_rawDeleterAt = Tells(AllocateAt + 1) ? AllocateAt + 1 : Tells(AllocateAt + 2) ? AllocateAt + 2 : 0;
        s_free = (delegate* unmanaged<nint, void>)result[s_deleterAt];
        s_free(result[s_contextAt]);
        return s_rawDeleterAt != 0;
    }

    [UnmanagedCallersOnly]
    private static nint Allocate(nint* result, nint self, nuint bytes)
    {
        nint start = bytes >= SmallestLarge && bytes <= long.MaxValue / 2 ? s_blocks!.Take((long)bytes) : 0;
        if (start == 0)
        {
            // Where memory is short, libtorch says so in its own words.
            return s_allocate(result, s_original, bytes);
        }

        result[0] = start;
        result[s_contextAt] = start;
        result[s_deleterAt] = (nint)(delegate* unmanaged<nint, void>)&Free;
        result[3] = 0xFF00; // the CPU is device type 0, of no index
        return (nint)result;
    }

    [UnmanagedCallersOnly]
    private static nint RawDeleter(nint self) => (nint)(delegate* unmanaged<nint, void>)&Free;

    /// <summary>Frees a block of either kind: oneDNN has no deleter of each, it asks the allocator for one.</summary>
    [UnmanagedCallersOnly]
    private static void Free(nint start)
    {
        if (start != 0 && !s_blocks!.Return(start))
        {
            s_free(start);
        }
    }

    [DllImport(Library, EntryPoint = "_ZN3c1015GetCPUAllocatorEv")]
    private static extern nint GetAllocator();

    [DllImport(Library, EntryPoint = "_ZN3c1015SetCPUAllocatorEPNS_9AllocatorEh")]
    private static extern void SetAllocator(nint allocator, byte priority);
}
