using System.Globalization;

namespace LangTrain.Modeling.Tokenizers.Patterns;

/// <summary>Parses bracket classes, and the escapes that stand for a character or a set of them.</summary>
internal sealed class ClassParser(string pattern, bool ignoreCase)
{
    /// <summary>Either one code point or a set.</summary>
    public readonly record struct Escape(int CodePoint, Func<int, bool>? Set);

    /// <summary>Parses from the '[' at <paramref name="position"/> to behind its ']'.</summary>
    public Func<int, bool> Parse(ref int position)
    {
        position++;
        var negated = Take(ref position, "^");
        var intersection = new List<Func<int, bool>>();
        var union = new List<Func<int, bool>>();
        var first = true;
        while (true)
        {
            if (position >= pattern.Length) throw Error("a class without its ']'", position);
            var c = pattern[position];
            if (c == ']' && !first)
            {
                position++;
                break;
            }
            first = false;
            if (c == '[')
            {
                if (string.CompareOrdinal(pattern, position, "[:", 0, 2) == 0) union.Add(ParsePosix(ref position));
                else union.Add(Parse(ref position));
                continue;
            }
            if (Take(ref position, "&&"))
            {
                intersection.Add(Any(union));
                union = [];
                continue;
            }
            union.Add(ParseItem(ref position));
        }
        intersection.Add(Any(union));
        var all = intersection.ToArray();
        return all.Length == 1
            ? negated ? x => !all[0](x) : all[0]
            : x => Array.TrueForAll(all, part => part(x)) != negated;
    }

    /// <summary>Parses a backslash and what follows it.</summary>
    public Escape ParseEscape(ref int position)
    {
        if (position + 1 >= pattern.Length) throw Error("a lone backslash", position);
        var c = pattern[position + 1];
        if (c is 'p' or 'P') return new Escape(0, ParseProperty(ref position));
        if (c is 'x' or 'u') return new Escape(ParseHex(ref position), null);
        Func<int, bool>? set = c switch
        {
            's' => CodePointSet.IsWhiteSpace,
            'S' => static x => !CodePointSet.IsWhiteSpace(x),
            'd' => static x => CodePointSet.Category(x) == UnicodeCategory.DecimalDigitNumber,
            'D' => static x => CodePointSet.Category(x) != UnicodeCategory.DecimalDigitNumber,
            'w' => CodePointSet.IsWord,
            'W' => static x => !CodePointSet.IsWord(x),
            'h' => static x => char.IsAsciiHexDigit((char)Math.Min(x, 0xFFFF)),
            _ => null,
        };
        if (set is not null)
        {
            position += 2;
            return new Escape(0, set);
        }
        if (char.IsAsciiDigit(c) && c != '0') throw Error("a back reference", position);
        if (char.IsAsciiLetter(c) && c is not ('n' or 'r' or 't' or 'f' or 'v' or 'a' or 'e')) throw Error($"the escape \\{c}", position);
        position++;
        if (!char.IsAscii(c)) return new Escape(ReadCodePoint(pattern, ref position), null);
        position++;
        return new Escape(c switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 'f' => '\f', 'v' => '\v', 'a' => '\a', 'e' => 0x1B, '0' => 0, _ => c }, null);
    }

    public static int ReadCodePoint(string text, ref int position)
    {
        var c = text[position++];
        if (char.IsHighSurrogate(c) && position < text.Length && char.IsLowSurrogate(text[position])) return char.ConvertToUtf32(c, text[position++]);
        return c;
    }

    private Func<int, bool> ParseItem(ref int position)
    {
        var low = ReadMember(ref position);
        if (low.Set is not null) return low.Set;
        // A '-' right before the ']' is itself.
        if (position + 1 < pattern.Length && pattern[position] == '-' && pattern[position + 1] != ']')
        {
            var behind = position;
            position++;
            var high = ReadMember(ref position);
            if (high.Set is null)
            {
                if (high.CodePoint < low.CodePoint) throw Error("an empty range", behind);
                return InRange(low.CodePoint, high.CodePoint);
            }
            position = behind;
        }
        return InRange(low.CodePoint, low.CodePoint);
    }

    private Func<int, bool> InRange(int low, int high)
    {
        if (!ignoreCase) return low == high ? x => x == low : x => x >= low && x <= high;
        if (high - low > 0x400) throw Error("a wide range that ignores case", 0);
        return x =>
        {
            for (var c = low; c <= high; c++)
            {
                if (CodePointSet.EqualsIgnoringCase(x, c)) return true;
            }
            return false;
        };
    }

    private Escape ReadMember(ref int position) =>
        pattern[position] == '\\' ? ParseEscape(ref position) : new Escape(ReadCodePoint(pattern, ref position), null);

    private Func<int, bool> ParseProperty(ref int position)
    {
        var start = position;
        var negated = pattern[position + 1] == 'P';
        position += 2;
        if (position >= pattern.Length || pattern[position] != '{') throw Error("a property without its '{'", start);
        var close = pattern.IndexOf('}', position);
        if (close < 0) throw Error("a property without its '}'", start);
        var name = pattern[(position + 1)..close];
        position = close + 1;
        if (name.StartsWith('^')) (negated, name) = (!negated, name[1..]);
        var set = UnicodeProperties.Find(name) ?? throw Error($"the property {name}", start);
        return negated ? x => !set(x) : set;
    }

    private Func<int, bool> ParsePosix(ref int position)
    {
        var close = pattern.IndexOf(":]", position, StringComparison.Ordinal);
        if (close < 0) throw Error("a POSIX class without its ':]'", position);
        var name = pattern[(position + 2)..close];
        var negated = name.StartsWith('^');
        var set = UnicodeProperties.FindPosix(negated ? name[1..] : name) ?? throw Error($"the POSIX class {name}", position);
        position = close + 2;
        return negated ? x => !set(x) : set;
    }

    private int ParseHex(ref int position)
    {
        var start = position;
        var wide = pattern[position + 1] == 'u';
        position += 2;
        string digits;
        if (position < pattern.Length && pattern[position] == '{')
        {
            var close = pattern.IndexOf('}', position);
            if (close < 0) throw Error("a code without its '}'", start);
            digits = pattern[(position + 1)..close];
            position = close + 1;
        }
        else
        {
            var length = Math.Min(wide ? 4 : 2, pattern.Length - position);
            digits = pattern.Substring(position, length);
            position += length;
        }
        return int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) ? code : throw Error("a bad hexadecimal code", start);
    }

    private bool Take(ref int position, string text)
    {
        if (string.CompareOrdinal(pattern, position, text, 0, text.Length) != 0) return false;
        position += text.Length;
        return true;
    }

    private static Func<int, bool> Any(List<Func<int, bool>> parts)
    {
        var all = parts.ToArray();
        return all.Length == 1 ? all[0] : x => Array.Exists(all, part => part(x));
    }

    private static FormatException Error(string what, int position) => new($"{what} at position {position} of the pattern");
}
