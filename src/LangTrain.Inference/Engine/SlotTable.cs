using LangTrain.Modeling;

namespace LangTrain.Inference.Engine;

/// <summary>
/// Which row has which cache slot, and what the free ones still hold. A prompt that begins like one that was read already, by a running row or
/// by one that has ended, takes those keys and values over (system prompts, the turns of a chat, the n choices of a request).
/// </summary>
/// <remarks>Loop thread only. Keys and values depend on the adapter, so only sequences of the same adapter object share.</remarks>
internal sealed class SlotTable(int count)
{
    /// <summary>A shorter common beginning is not worth a copy.</summary>
    internal const int MinSharedTokens = 8;

    private readonly Slot[] _slots = [.. Enumerable.Range(0, count).Select(_ => new Slot())];
    private long _clock;

    /// <summary>Slots without a row.</summary>
    public int Free { get; private set; } = count;

    /// <summary>Tokens that rows hold in their slots.</summary>
    public int TokensInUse
    {
        get
        {
            var tokens = 0;
            foreach (var slot in _slots)
                tokens += slot.Row?.Cached ?? 0;
            return tokens;
        }
    }

    /// <summary>Gives a row the free slot that is the best to lose: the one whose tokens it shares most, else the one unused for longest.</summary>
    public void Take(GenerationRow row, bool reuse)
    {
        var best = -1;
        var bestShared = 0;
        for (var i = 0; i < _slots.Length; i++)
        {
            if (_slots[i].Row is not null)
                continue;
            // A slot that holds much more than is shared is kept for its own continuation where another is free.
            var shared = reuse ? Shared(row, _slots[i]) : 0;
            if (shared < MinSharedTokens || (shared < _slots[i].Length / 2 && Free > 1))
                shared = 0;
            if (best < 0 || shared > bestShared || (shared == bestShared && _slots[i].UsedAt < _slots[best].UsedAt))
                (best, bestShared) = (i, shared);
        }
        var slot = _slots[best];
        slot.Row = row;
        row.Slot = best;
        row.Cached = bestShared;
        row.Started = false;
        Free--;
    }

    /// <summary>Takes the row's slot from it; what it holds stays until somebody else needs the place.</summary>
    public void Release(GenerationRow row)
    {
        var slot = _slots[row.Slot];
        slot.Row = null;
        slot.Tokens = row.Tokens[..row.Cached].ToArray();
        slot.Adapter = row.Request.Adapter is { } adapter ? new WeakReference<LoraAdapter>(adapter) : null;
        slot.UsedAt = ++_clock;
        Free++;
        row.Slot = -1;
        row.Cached = 0;
    }

    /// <summary>Forgets what the row's slot holds, after a step that may have left it half written.</summary>
    public static void Spoil(GenerationRow row) => row.Cached = 0;

    /// <summary>The slot, other than the row's own, that holds most of the row's beginning.</summary>
    /// <returns>The slot and the shared tokens, which leave at least one to feed.</returns>
    public (int Slot, int Shared) LongestShared(GenerationRow row)
    {
        var (best, bestShared) = (-1, 0);
        for (var i = 0; i < _slots.Length; i++)
        {
            if (i == row.Slot)
                continue;
            var shared = Shared(row, _slots[i]);
            if (shared > bestShared)
                (best, bestShared) = (i, shared);
        }
        return (best, bestShared);
    }

    /// <summary>Tokens with which two rows begin alike, at most all but one of <paramref name="row"/>'s.</summary>
    public static int CommonBeginning(GenerationRow row, GenerationRow other) =>
        ReferenceEquals(row.Request.Adapter, other.Request.Adapter) ? Shared(row, other.Tokens) : 0;

    private static int Shared(GenerationRow row, Slot slot)
    {
        if (slot.Row is { } owner)
            return ReferenceEquals(owner.Request.Adapter, row.Request.Adapter) ? Shared(row, owner.Tokens[..owner.Cached]) : 0;
        LoraAdapter? adapter = null;
        if (slot.Adapter is not null && !slot.Adapter.TryGetTarget(out adapter))
            return 0;
        return ReferenceEquals(adapter, row.Request.Adapter) ? Shared(row, slot.Tokens) : 0;
    }

    private static int Shared(GenerationRow row, ReadOnlySpan<int> held) =>
        Math.Min(row.Tokens.CommonPrefixLength(held), row.Count - 1);

    private sealed class Slot
    {
        public GenerationRow? Row { get; set; }

        public int[] Tokens { get; set; } = [];

        public int Length => Row?.Cached ?? Tokens.Length;

        public WeakReference<LoraAdapter>? Adapter { get; set; }

        public long UsedAt { get; set; }
    }
}
