using System.Globalization;
using System.Text;

namespace LangTrain.Modeling.Tokenizers.Patterns;

/// <summary>A set of Unicode code points with constant-time lookup; immutable once built.</summary>
/// <remarks>.NET's own classes work on UTF-16 units, so that a letter outside the basic plane is no letter there; tokenizers count code points.</remarks>
internal sealed class CodePointSet
{
    private readonly Func<int, bool> _contains;
    private readonly ulong _asciiLow;
    private readonly ulong _asciiHigh;
    // 65,536 bits, made at the first code point beyond ASCII: most texts of most patterns never need it.
    private ulong[]? _plane;

    public CodePointSet(Func<int, bool> contains)
    {
        _contains = contains;
        for (var c = 0; c < 64; c++)
        {
            if (contains(c)) _asciiLow |= 1UL << c;
            if (contains(c + 64)) _asciiHigh |= 1UL << c;
        }
    }

    /// <param name="c">Below 128.</param>
    public bool ContainsAscii(int c) => ((c < 64 ? _asciiLow : _asciiHigh) >> (c & 63) & 1) != 0;

    public bool Contains(int codePoint)
    {
        if ((uint)codePoint < 128) return ContainsAscii(codePoint);
        if (codePoint > 0xFFFF) return _contains(codePoint);
        var plane = _plane ?? BuildPlane();
        return (plane[codePoint >> 6] >> (codePoint & 63) & 1) != 0;
    }

    private ulong[] BuildPlane()
    {
        var plane = new ulong[1024];
        for (var c = 128; c < 0x10000; c++)
        {
            if (_contains(c)) plane[c >> 6] |= 1UL << (c & 63);
        }
        // A race builds the same bits twice, which harms nobody.
        Volatile.Write(ref _plane, plane);
        return plane;
    }

    public static CodePointSet Single(int codePoint) => new(c => c == codePoint);

    public static bool IsWhiteSpace(int c) => c < 0x10000 && char.IsWhiteSpace((char)c);

    /// <summary><c>\w</c> of Oniguruma: of numbers that are no digits only those of Latin-1.</summary>
    public static bool IsWord(int c) => IsLetterMarkOrDigit(c) || c is 0xB2 or 0xB3 or 0xB9 or (>= 0xBC and <= 0xBE);

    /// <summary><c>\w</c> of Rust's regex crate: with the joiners.</summary>
    public static bool IsRustWord(int c) => IsLetterMarkOrDigit(c) || c is 0x200C or 0x200D;

    private static bool IsLetterMarkOrDigit(int c) => Category(c) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter
        or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter
        or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
        or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation
        || c is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189); // circled and squared letters

    public static UnicodeCategory Category(int c) => CharUnicodeInfo.GetUnicodeCategory(c);

    /// <summary>The code point itself and its other case, as a case-insensitive pattern matches it.</summary>
    public static bool EqualsIgnoringCase(int a, int b)
    {
        if (a == b) return true;
        if (!Rune.IsValid(a) || !Rune.IsValid(b)) return false;
        return Fold(a) == Fold(b);
    }

    private static int Fold(int c) => c switch
    {
        0x17F => 's', // long s and the Kelvin sign fold to ASCII letters
        0x212A => 'k',
        _ => Rune.ToLowerInvariant(new Rune(c)).Value,
    };
}
