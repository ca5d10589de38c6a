using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LangTrain.Inference.Cpu;

/// <summary>Runs work on libtorch's own threads, so that the two do not fight for cores; by its stable C interface (torch_parallel_for).</summary>
internal sealed unsafe class TorchThreads : IDisposable
{
    private static readonly delegate* unmanaged[Cdecl]<long, long, long, delegate* unmanaged[Cdecl]<long, long, void*, void>, void*, int> ParallelFor = Find();

    private readonly Action<int, int, int> _work;
    private GCHandle _self;
    private int _next;
    private int _units;
    private int _block;

    /// <param name="work">Does units from, to (after the last), on worker number; must not throw, because native code calls it.</param>
    public TorchThreads(Action<int, int, int> work)
    {
        _work = work;
        _self = GCHandle.Alloc(this);
        Count = Math.Max(1, get_num_threads());
    }

    /// <summary>True where libtorch has the function.</summary>
    public static bool IsAvailable => ParallelFor is not null;

    /// <summary>Workers.</summary>
    public int Count { get; }

    /// <summary>Does all units and returns when they are done.</summary>
    /// <param name="units">How many.</param>
    /// <param name="block">How many are taken at a time: workers take the next block when they are free, so a busy core delays only its own.</param>
    public void Run(int units, int block)
    {
        if (units <= block || Count == 1)
        {
            _work(0, units, 0);
            return;
        }
        (_next, _units, _block) = (0, units, block);
        if (ParallelFor(0, Math.Min(Count, (units + block - 1) / block), 1, &Work, (void*)GCHandle.ToIntPtr(_self)) != 0)
            throw new InvalidOperationException("libtorch refused to run work on its threads.");
    }

    /// <summary>Ends the use; the threads are libtorch's and stay.</summary>
    public void Dispose() => _self.Free();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Work(long begin, long end, void* context)
    {
        var threads = (TorchThreads)GCHandle.FromIntPtr((IntPtr)context).Target!;
        for (var worker = (int)begin; worker < end; worker++)
        {
            while (true)
            {
                var from = Interlocked.Add(ref threads._next, threads._block) - threads._block;
                if (from >= threads._units)
                    break;
                threads._work(from, Math.Min(from + threads._block, threads._units), worker);
            }
        }
    }

    private static delegate* unmanaged[Cdecl]<long, long, long, delegate* unmanaged[Cdecl]<long, long, void*, void>, void*, int> Find() =>
        NativeLibrary.TryLoad("torch_cpu", typeof(TorchSharp.torch).Assembly, null, out var library)
        && NativeLibrary.TryGetExport(library, "torch_parallel_for", out var function)
            ? (delegate* unmanaged[Cdecl]<long, long, long, delegate* unmanaged[Cdecl]<long, long, void*, void>, void*, int>)function
            : null;
}
