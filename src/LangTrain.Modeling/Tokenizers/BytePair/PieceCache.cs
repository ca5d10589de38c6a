using System.Runtime.InteropServices;

namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>Remembers the ids of short pieces. Bounded, lock-free: a slot is one reference, replaced whole by whoever comes last.</summary>
internal sealed class PieceCache
{
    /// <summary>Longer pieces are rare and would only push words out.</summary>
    public const int MaxPieceLength = 32;

    private const int SlotCount = 1 << 16;
    private readonly Entry?[] _slots = new Entry?[SlotCount];

    /// <summary>The ids of <paramref name="piece"/>, or null; <paramref name="slot"/> is where to <see cref="Put"/> them.</summary>
    public int[]? Find(ReadOnlySpan<char> piece, out int slot)
    {
        slot = Hash(piece);
        var entry = Volatile.Read(ref _slots[slot]);
        return entry is not null && piece.SequenceEqual(entry.Piece) ? entry.Ids : null;
    }

    public void Put(int slot, ReadOnlySpan<char> piece, ReadOnlySpan<int> ids) =>
        Volatile.Write(ref _slots[slot], new Entry(piece.ToArray(), ids.ToArray()));

    private static int Hash(ReadOnlySpan<char> piece)
    {
        var hash = (ulong)piece.Length * 0x9E3779B97F4A7C15UL;
        var words = MemoryMarshal.Cast<char, ulong>(piece);
        foreach (var word in words) hash = (hash ^ word) * 0xFF51AFD7ED558CCDUL ^ hash >> 29;
        foreach (var c in piece[(words.Length * 4)..]) hash = (hash ^ c) * 0xC4CEB9FE1A85EC53UL ^ hash >> 31;
        return (int)(hash >> 32 ^ hash >> 48) & (SlotCount - 1);
    }

    private sealed record Entry(char[] Piece, int[] Ids);
}
