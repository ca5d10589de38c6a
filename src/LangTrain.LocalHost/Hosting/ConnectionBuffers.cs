using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace LangTrain.LocalHost.Hosting;

/// <summary>Buffers of 64 KB for the server's connections. Its own have 4 KB, so that an upload of a gigabyte takes a quarter of a million system calls. Thread-safe.</summary>
/// <remarks>A connection holds one only while something comes or goes.</remarks>
internal sealed class ConnectionBuffers : MemoryPool<byte>
{
    private const int BlockBytes = 64 * 1024;

    // 8 MB: what a hundred busy connections let go of is kept for the next ones.
    private const int MostIdle = 128;

    private readonly ConcurrentQueue<Block> _idle = new();

    // What a small request needs, this thread has just had: it is still in the processor's cache.
    [ThreadStatic]
    private static Block? s_last;

    public override int MaxBufferSize => BlockBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        if (s_last is { } last && last.Pool == this)
        {
            s_last = null;
            return last;
        }

        return _idle.TryDequeue(out var block) ? block : new Block(this);
    }

    protected override void Dispose(bool disposing) => _idle.Clear();

    /// <summary>Makes them for Kestrel.</summary>
    public sealed class Factory : IMemoryPoolFactory<byte>
    {
        public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new ConnectionBuffers();
    }

    private sealed class Block(ConnectionBuffers pool) : IMemoryOwner<byte>
    {
        public ConnectionBuffers Pool => pool;

        // Pinned once, as every call of the system would do otherwise.
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);

        public Memory<byte> Memory => _bytes;

        public void Dispose()
        {
            var before = s_last;
            s_last = this;
            if (before is not null && before.Pool._idle.Count < MostIdle)
            {
                before.Pool._idle.Enqueue(before);
            }
        }
    }
}
