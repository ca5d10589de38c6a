namespace LangTrain.Modeling;

/// <summary>
/// Memory for large tensors, kept for the next tensor of the same size when one is freed. A training step asks for the same sizes again and again, so after
/// the first step nothing is mapped, zeroed or fragmented any more. Linux only.
/// </summary>
/// <remarks>
/// What is mapped stays within a few percent of the most that was ever in use at once: beyond that, a block that is needed takes the place of those that waited longest.
/// Thread-safe.
/// </remarks>
internal sealed class LargeBlocks
{
    private const long Slack = 32L << 20;
    private readonly Lock _gate = new();
    private readonly Dictionary<nint, long> _inUse = [];
    private readonly Dictionary<long, Stack<LinkedListNode<Block>>> _waitingBySize = [];
    private readonly LinkedList<Block> _waiting = [];
    private long _bytesInUse, _mostInUse;

    /// <summary>Bytes mapped, in use or waiting.</summary>
    public long MappedBytes { get; private set; }

    /// <summary>Bytes that may wait besides what is in use, where sizes change from one request to the next.</summary>
    /// <param name="mostInUse">The most that was ever in use.</param>
    public static long MostWaiting(long mostInUse) => mostInUse / 16 + Slack;

    /// <summary>Takes a block.</summary>
    /// <param name="bytes">At least this many, above 0.</param>
    /// <returns>Its start, on a page boundary, its content undefined; 0 if the system has no more memory.</returns>
    public nint Take(long bytes)
    {
        long size = Rounded(bytes);
        lock (_gate)
        {
            _mostInUse = Math.Max(_mostInUse, _bytesInUse + size);
            nint start = TakeWaiting(size);
            if (start == 0)
            {
                while (MappedBytes + size > _mostInUse + MostWaiting(_mostInUse) && _waiting.Last is { } oldest)
                {
                    Drop(oldest);
                }

                start = MemoryPages.Map(size);
                if (start == 0)
                {
                    return 0;
                }

                MappedBytes += size;
            }

            _bytesInUse += size;
            _inUse.Add(start, size);
            return start;
        }
    }

    /// <summary>Gives a block back.</summary>
    /// <param name="start">From <see cref="Take"/>.</param>
    /// <returns>False if the block is not from here.</returns>
    public bool Return(nint start)
    {
        lock (_gate)
        {
            if (!_inUse.Remove(start, out long size))
            {
                return false;
            }

            _bytesInUse -= size;
            if (!_waitingBySize.TryGetValue(size, out Stack<LinkedListNode<Block>>? same))
            {
                _waitingBySize.Add(size, same = []);
            }

            same.Push(_waiting.AddFirst(new Block(start, size)));
            return true;
        }
    }

    /// <summary>Gives back to the system whatever waits, and forgets what was in use once: after work whose sizes nobody will ask for again.</summary>
    public void Release()
    {
        lock (_gate)
        {
            while (_waiting.Last is { } oldest)
            {
                Drop(oldest);
            }

            _waitingBySize.Clear();
            _mostInUse = _bytesInUse;
        }
    }

    /// <summary>Whether a block from here, not given back, starts there.</summary>
    public bool Holds(nint start)
    {
        lock (_gate)
        {
            return _inUse.ContainsKey(start);
        }
    }

    /// <summary>Sizes in steps of an eighth: tensors of nearly the same size share their blocks. The pages of the rest are never touched and so take no memory.</summary>
    private static long Rounded(long bytes)
    {
        long step = Math.Max(1L << 16, (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)bytes) / 16);
        return (bytes + step - 1) / step * step;
    }

    private nint TakeWaiting(long size)
    {
        if (!_waitingBySize.TryGetValue(size, out Stack<LinkedListNode<Block>>? same))
        {
            return 0;
        }

        // Blocks that were dropped meanwhile are still on the stack, detached.
        while (same.TryPop(out LinkedListNode<Block>? node))
        {
            if (node.List is not null)
            {
                _waiting.Remove(node);
                return node.Value.Start;
            }
        }

        return 0;
    }

    private void Drop(LinkedListNode<Block> node)
    {
        _waiting.Remove(node);
        MemoryPages.Unmap(node.Value.Start, node.Value.Size);
        MappedBytes -= node.Value.Size;
    }

    private readonly record struct Block(nint Start, long Size);
}
