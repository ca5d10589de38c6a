using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>Remembers the ids of short pieces, keys and ids inline so that a hit touches one place in memory. Bounded; for one thread at a time.</summary>
internal sealed class PieceCache
{
    // Two entries a hash: the newer one first, which pushes the older one to the second place. Together 4 MB, of which the system gives only what is used.
    private const int Places = 1 << 14;
    private readonly Entry[] _entries = new Entry[Places * 2];

    /// <summary>Longer pieces are rare and would only push words out.</summary>
    public static int MaxPieceLength => 32;

    /// <summary>Finds the ids of a piece of 1 to <see cref="MaxPieceLength"/> characters.</summary>
    /// <param name="piece">The piece.</param>
    /// <param name="place">Where to <see cref="Put"/> the ids of a piece that is not known.</param>
    /// <returns>The ids, until the next <see cref="Put"/>; empty for a piece that is not known.</returns>
    public ReadOnlySpan<int> Find(ReadOnlySpan<char> piece, out int place)
    {
        place = (int)(Hash(piece) & (Places - 1)) * 2;
        ref var entry = ref _entries[place];
        if (entry.Is(piece)) return ((ReadOnlySpan<int>)entry.Ids)[..entry.Count];
        entry = ref _entries[place + 1];
        return entry.Is(piece) ? ((ReadOnlySpan<int>)entry.Ids)[..entry.Count] : [];
    }

    /// <summary>Remembers the ids of a piece, unless there are more than an entry holds, or none.</summary>
    public void Put(int place, ReadOnlySpan<char> piece, ReadOnlySpan<int> ids)
    {
        if (ids.Length is 0 or > Ids.Capacity) return;
        ref var entry = ref _entries[place];
        _entries[place + 1] = entry;
        piece.CopyTo(entry.Piece);
        ids.CopyTo(entry.Ids);
        (entry.Length, entry.Count) = ((byte)piece.Length, (byte)ids.Length);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Hash(ReadOnlySpan<char> piece)
    {
        var hash = (ulong)piece.Length;
        var bytes = MemoryMarshal.AsBytes(piece);
        for (; bytes.Length > 8; bytes = bytes[8..]) hash = Mix(hash ^ MemoryMarshal.Read<ulong>(bytes));
        // 2 to 8 bytes are left.
        var last = bytes.Length switch
        {
            8 => MemoryMarshal.Read<ulong>(bytes),
            >= 4 => MemoryMarshal.Read<uint>(bytes) | (ulong)MemoryMarshal.Read<uint>(bytes[^4..]) << 32,
            _ => MemoryMarshal.Read<ushort>(bytes),
        };
        return Mix(hash ^ last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong value)
    {
        var high = Math.BigMul(value ^ 0x9E3779B97F4A7C15UL, 0xD6E8FEB86659FD93UL, out var low);
        return high ^ low;
    }

    [InlineArray(Capacity)]
    private struct Letters
    {
        public const int Capacity = 32;
        private char _first;
    }

    [InlineArray(Capacity)]
    private struct Ids
    {
        public const int Capacity = 15;
        private int _first;
    }

    /// <summary>128 bytes: two lines of the processor's cache, which it loads together.</summary>
    private struct Entry
    {
        public byte Length;
        public byte Count;
        public Letters Piece;
        public Ids Ids;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly bool Is(ReadOnlySpan<char> piece) => Length == piece.Length && piece.SequenceEqual(((ReadOnlySpan<char>)Piece)[..piece.Length]);
    }
}
