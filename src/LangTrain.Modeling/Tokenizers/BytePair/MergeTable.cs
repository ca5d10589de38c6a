namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>Merge rules by their pair of token ids: open addressing in one flat array, read by any number of threads.</summary>
internal sealed class MergeTable
{
    /// <summary>The rank that no rule has.</summary>
    public const int None = int.MaxValue;

    private readonly Slot[] _slots;
    private readonly int _mask;

    /// <param name="merges">Left id, right id and the merged id, best rule first.</param>
    public MergeTable(IReadOnlyList<(int Left, int Right, int Merged)> merges)
    {
        // At most half full, so that an absent pair (the common question) ends at the first or second slot.
        var capacity = 16;
        while (capacity < merges.Count * 2) capacity *= 2;
        _slots = new Slot[capacity];
        _mask = capacity - 1;
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right, merged) = merges[rank];
            ref var slot = ref Find(left, right);
            // A rule given twice counts where it stands last, as in the reference.
            slot = new Slot { Key = KeyOf(left, right), Rank = rank, Merged = merged };
        }
    }

    /// <summary>The rule's rank, or <see cref="None"/>.</summary>
    public int Rank(int left, int right, out int merged)
    {
        ref var slot = ref Find(left, right);
        merged = slot.Merged;
        return slot.Key == 0 ? None : slot.Rank;
    }

    private ref Slot Find(int left, int right)
    {
        var key = KeyOf(left, right);
        var index = (int)(key * 0x9E3779B97F4A7C15UL >> 32) & _mask;
        while (true)
        {
            ref var slot = ref _slots[index];
            if (slot.Key == key || slot.Key == 0) return ref slot;
            index = index + 1 & _mask;
        }
    }

    // Never 0, which is the key of an empty slot.
    private static ulong KeyOf(int left, int right) => ((ulong)(uint)left << 32 | (uint)right) + 1;

    private struct Slot
    {
        public ulong Key;
        public int Rank;
        public int Merged;
    }
}
