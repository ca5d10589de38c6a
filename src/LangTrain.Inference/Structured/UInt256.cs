namespace LangTrain.Inference.Structured;

/// <summary>A set of bytes, one bit each.</summary>
internal readonly record struct UInt256(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>True for a byte in the set.</summary>
    public bool Contains(byte value) => ((value >> 6) switch { 0 => A, 1 => B, 2 => C, _ => D } >> (value & 63) & 1) != 0;

    /// <summary>True for no byte at all.</summary>
    public bool IsEmpty => (A | B | C | D) == 0;

    /// <summary>All bytes from <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public static UInt256 Range(int low, int high)
    {
        Span<ulong> words = stackalloc ulong[4];
        words.Clear();
        for (var value = low; value <= high; value++)
            words[value >> 6] |= 1UL << (value & 63);
        return new UInt256(words[0], words[1], words[2], words[3]);
    }

    /// <summary>Bytes of either set.</summary>
    public static UInt256 operator |(UInt256 x, UInt256 y) => new(x.A | y.A, x.B | y.B, x.C | y.C, x.D | y.D);
}
