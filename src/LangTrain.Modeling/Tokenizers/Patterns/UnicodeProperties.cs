using System.Globalization;

namespace LangTrain.Modeling.Tokenizers.Patterns;

/// <summary>The names that may stand in \p{…} and [:…:].</summary>
internal static class UnicodeProperties
{
    // Two-letter names in the order of UnicodeCategory's values.
    private static readonly string[] Names =
        ["Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn"];

    /// <summary>The set of a general category (<c>L</c>, <c>Lu</c>, …) or a few named properties; null when unknown.</summary>
    public static Func<int, bool>? Find(string name)
    {
        switch (name)
        {
            case "Letter": name = "L"; break;
            case "Mark": name = "M"; break;
            case "Number": name = "N"; break;
            case "Punctuation": name = "P"; break;
            case "Symbol": name = "S"; break;
            case "Separator": name = "Z"; break;
            case "Other": name = "C"; break;
            case "Han": return IsHan;
            case "Hiragana": return static c => c is >= 0x3041 and <= 0x3096 or >= 0x309D and <= 0x309F or 0x1F200 or >= 0x1B001 and <= 0x1B11F;
            case "Katakana": return static c => c is >= 0x30A1 and <= 0x30FA or >= 0x30FD and <= 0x30FF or >= 0x31F0 and <= 0x31FF
                or >= 0x32D0 and <= 0x32FE or >= 0x3300 and <= 0x3357 or >= 0xFF66 and <= 0xFF6F or >= 0xFF71 and <= 0xFF9D or 0x1B000;
            case "Space" or "White_Space" or "space": return CodePointSet.IsWhiteSpace;
            case "Alnum" or "Alpha" or "Digit" or "Upper" or "Lower" or "Punct": return FindPosix(name.ToLowerInvariant());
        }
        var mask = 0;
        for (var i = 0; i < Names.Length; i++)
        {
            if (Names[i] == name || (name.Length == 1 && Names[i][0] == name[0])) mask |= 1 << i;
        }
        return mask == 0 ? null : c => (mask >> (int)CodePointSet.Category(c) & 1) != 0;
    }

    public static Func<int, bool>? FindPosix(string name) => name switch
    {
        "space" => CodePointSet.IsWhiteSpace,
        "digit" => Find("Nd"),
        "alpha" => static c => CodePointSet.Category(c) is <= UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber,
        "alnum" => static c => CodePointSet.Category(c) is <= UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber or UnicodeCategory.DecimalDigitNumber,
        "upper" => Find("Lu"),
        "lower" => Find("Ll"),
        "word" => CodePointSet.IsWord,
        "punct" => static c => c is '$' or '+' or '<' or '=' or '>' or '^' or '`' or '|' or '~'
            || CodePointSet.Category(c) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation,
        "cntrl" => Find("Cc"),
        "blank" => static c => c == '\t' || CodePointSet.Category(c) == UnicodeCategory.SpaceSeparator,
        "xdigit" => static c => c < 128 && char.IsAsciiHexDigit((char)c),
        _ => null,
    };

    private static bool IsHan(int c) => c is >= 0x2E80 and <= 0x2E99 or >= 0x2E9B and <= 0x2EF3 or >= 0x2F00 and <= 0x2FD5
        or 0x3005 or 0x3007 or >= 0x3021 and <= 0x3029 or >= 0x3038 and <= 0x303B or >= 0x3400 and <= 0x4DBF or >= 0x4E00 and <= 0x9FFF
        or >= 0xF900 and <= 0xFA6D or >= 0xFA70 and <= 0xFAD9 or >= 0x16FE2 and <= 0x16FE3 or >= 0x16FF0 and <= 0x16FF1
        or >= 0x20000 and <= 0x2A6DF or >= 0x2A700 and <= 0x2EBE0 or >= 0x2EBF0 and <= 0x2EE5D or >= 0x2F800 and <= 0x2FA1D or >= 0x30000 and <= 0x323AF;
}
