namespace LangTrain.Inference.Cpu;

/// <summary>
/// Shares a piece of work between the calling thread and some helpers. The caller waits for blocks that a helper has taken, never for a helper to
/// come: on a busy machine, where a helper may be kept from its core for milliseconds, the caller does the blocks itself and goes on. (A fork and
/// join on OpenMP's threads waits for all of them; with other programs running that was measured to cost up to 30 times.)
/// </summary>
/// <remarks>One caller at a time. Helpers watch for work for some microseconds and then sleep.</remarks>
internal sealed class KernelThreads : IDisposable
{
    private const int WatchRounds = 400;

    /// <summary>A block number that no piece has, with room for those who count on from it.</summary>
    private const long NoBlock = 0x4000_0000;

    private readonly Action<int, int, int> _work;
    private readonly SemaphoreSlim _wake = new(0);
    private int _units;
    private int _block;
    private int _blocks;
    private int _done;
    private int _asleep;
    private volatile bool _stopping;

    // The piece of work's number above, the next block below: whoever adds 1 has a block, and knows of which piece it is.
    private long _ticket;

    /// <param name="count">Threads that work, the caller included.</param>
    /// <param name="work">Does units from, to (after the last), on worker number; must not throw.</param>
    public KernelThreads(int count, Action<int, int, int> work)
    {
        (Count, _work) = (count, work);
        for (var i = 1; i < count; i++)
        {
            var worker = i;
            new Thread(() => Help(worker)) { IsBackground = true, Name = $"generation helper {worker}" }.Start();
        }
    }

    /// <summary>Threads that work, the caller included.</summary>
    public int Count { get; }

    /// <summary>Does all units and returns when they are done.</summary>
    /// <param name="units">How many.</param>
    /// <param name="block">How many are taken at a time.</param>
    public void Run(int units, int block)
    {
        if (units <= block || Count == 1)
        {
            _work(0, units, 0);
            return;
        }
        // The number moves on before the sizes change: a helper that took a ticket too late for the last piece must not take these sizes for its.
        var piece = (Volatile.Read(ref _ticket) >> 32) + 2;
        Interlocked.Exchange(ref _ticket, ((piece - 1) << 32) | NoBlock);
        (_units, _block, _blocks) = (units, block, (units + block - 1) / block);
        _done = 0;
        Interlocked.Exchange(ref _ticket, piece << 32); // From here on helpers may take blocks.
        if (Volatile.Read(ref _asleep) > 0)
            _wake.Release(Math.Min(_asleep, _blocks - 1) is > 0 and var helpers ? helpers : 1);
        TakeBlocks(0);
        var spin = default(SpinWait);
        while (Volatile.Read(ref _done) < _blocks)
            spin.SpinOnce(sleep1Threshold: -1);
    }

    /// <summary>Ends the helpers.</summary>
    public void Dispose()
    {
        _stopping = true;
        _wake.Release(Count);
    }

    private void Help(int worker)
    {
        var seen = 0L;
        while (!_stopping)
        {
            for (var round = 0; round < WatchRounds && Volatile.Read(ref _ticket) >> 32 == seen; round++)
                Thread.SpinWait(20);
            if (Volatile.Read(ref _ticket) >> 32 == seen)
            {
                Interlocked.Increment(ref _asleep);
                if (Volatile.Read(ref _ticket) >> 32 == seen && !_stopping)
                    _wake.Wait();
                Interlocked.Decrement(ref _asleep);
                continue;
            }
            seen = Volatile.Read(ref _ticket) >> 32;
            TakeBlocks(worker);
        }
    }

    private void TakeBlocks(int worker)
    {
        while (true)
        {
            var ticket = Interlocked.Increment(ref _ticket) - 1;
            var at = (int)(ticket & 0xFFFFFFFF);
            var (units, block, blocks) = (Volatile.Read(ref _units), Volatile.Read(ref _block), Volatile.Read(ref _blocks));
            // A helper that comes too late for its piece may read the next one's sizes, and then the ticket's number has moved on. A block that is
            // really its own holds the caller at this piece, so then nothing can have changed.
            if (at >= blocks || Volatile.Read(ref _ticket) >> 32 != ticket >> 32)
                return;
            _work(at * block, Math.Min((at + 1) * block, units), worker);
            Interlocked.Increment(ref _done);
        }
    }
}
