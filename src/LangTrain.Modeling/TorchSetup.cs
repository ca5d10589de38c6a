using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Readies libtorch in this process: loads it, tunes the allocator, sets the thread count. Called once by every host before it computes.</summary>
/// <remarks>Thread-safe and idempotent.</remarks>
public static partial class TorchSetup
{
    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3; // malloc.h
    private static readonly Lock s_gate = new();
    private static bool s_done;

    /// <summary>Loads libtorch and tunes the process for training and serving.</summary>
    /// <param name="threads">Threads that one operator uses; null leaves libtorch's choice (the physical cores).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is not positive.</exception>
    public static void Initialize(int? threads = null)
    {
        if (threads is { } count)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count, nameof(threads));
        }

        lock (s_gate)
        {
            if (!s_done)
            {
                TuneAllocator();
                LetWaitingThreadsSleepSoon();
                TryInitializeDeviceType(TorchSharp.DeviceType.CPU);
                TorchAllocator.Install();
                s_done = true;
            }

            if (threads is { } wanted)
            {
                set_num_threads(wanted);
            }
        }
    }

    /// <summary>Gives memory that tensors no longer need, and that is kept for the next ones, back to the system: after a training run.</summary>
    public static void ReleaseMemory() => TorchAllocator.Blocks?.Release();

    /// <summary>
    /// A step allocates and frees blocks again and again; glibc returns those at its end to the system and fetches them back as zeroed pages. Keeping them is worth up to
    /// 1.3 times the speed. The large ones are not glibc's where <see cref="TorchAllocator"/> is installed.
    /// </summary>
    private static void TuneAllocator()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            _ = SetMallocOption(MmapThreshold, 32 << 20);
            _ = SetMallocOption(TrimThreshold, int.MaxValue);
            _ = SetMallocOption(TopPad, 16 << 20);
        }
        catch (Exception error) when (error is EntryPointNotFoundException or DllNotFoundException)
        {
            // musl has no mallopt: slower, not wrong.
        }
    }

    /// <summary>
    /// libtorch's OpenMP threads spin where they wait for each other. Where another process wants the cores, the one waited for cannot run meanwhile, and a
    /// step takes 10 to 100 times as long (measured). Sleeping at once costs a wake-up an operator, a sixth of a step of a small model. So they spin for
    /// about as long as a wake-up takes, then sleep. OpenMP reads its settings once, when libtorch is loaded.
    /// </summary>
    private static void LetWaitingThreadsSleepSoon()
    {
        if (OperatingSystem.IsLinux())
        {
            // The process's own environment: .NET keeps a copy that native code never sees. What the user has set stays.
            _ = SetEnvironment("OMP_WAIT_POLICY", "PASSIVE", 0);
            _ = SetEnvironment("GOMP_SPINCOUNT", "5000", 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetMallocOption(int parameter, int value);
}
