using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LangTrain.Modeling;

/// <summary>Loops on libtorch's own threads, so that its work and ours do not fight for cores. Thread-safe.</summary>
internal static unsafe class TorchThreads
{
    private const long WorthWaking = 1 << 20; // Some 50 microseconds.

    /// <summary>Does items 0 to <paramref name="count"/>, in as many neighbouring parts as libtorch has threads.</summary>
    /// <param name="count">How many items.</param>
    /// <param name="operations">Multiplications of all items together, or so: what is done in less time than a thread needs to wake is done here.</param>
    /// <param name="work">Does the items from its first argument to before its second.</param>
    /// <exception cref="InvalidOperationException">libtorch refuses the call.</exception>
    /// <remarks>What <paramref name="work"/> throws is thrown again here, from one of the parts that threw.</remarks>
    public static void For(long count, long operations, Action<long, long> work)
    {
        if (operations < WorthWaking)
        {
            work(0, count);
            return;
        }

        var part = new Part(work);
        GCHandle handle = GCHandle.Alloc(part);
        try
        {
            if (ParallelFor(0, count, 1, &Run, GCHandle.ToIntPtr(handle)) != 0)
            {
                throw new InvalidOperationException("libtorch refused a parallel loop; its own words are on standard error.");
            }
        }
        finally
        {
            handle.Free();
        }

        if (part.Failure is { } failure)
        {
            throw new InvalidOperationException("A part of a parallel loop failed: " + failure.Message, failure);
        }
    }

    // Nothing may be thrown through libtorch's frames.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Run(long from, long to, nint context)
    {
        var part = (Part)GCHandle.FromIntPtr(context).Target!;
        try
        {
            part.Work(from, to);
        }
        catch (Exception failure)
        {
            part.Failure = failure;
        }
    }

    [DllImport("torch_cpu", EntryPoint = "torch_parallel_for")]
    private static extern int ParallelFor(long from, long to, long grain, delegate* unmanaged[Cdecl]<long, long, nint, void> work, nint context);

    private sealed class Part(Action<long, long> work)
    {
        public Action<long, long> Work => work;

        public Exception? Failure { get; set; }
    }
}
