namespace LangTrain.Inference.Structured;

/// <summary>A set of Unicode code points as sorted ranges, and its spelling in UTF-8 and inside a JSON string.</summary>
internal sealed class CharacterSet
{
    private const int LastCodePoint = 0x10FFFF;

    private readonly (int Low, int High)[] _ranges;

    /// <summary>A set of ranges, which may overlap.</summary>
    public CharacterSet(params IEnumerable<(int Low, int High)> ranges)
    {
        var merged = new List<(int Low, int High)>();
        foreach (var (low, high) in ranges.Order())
        {
            if (merged.Count > 0 && low <= merged[^1].High + 1)
                merged[^1] = (merged[^1].Low, Math.Max(merged[^1].High, high));
            else
                merged.Add((low, high));
        }
        _ranges = [.. merged];
    }

    /// <summary>Every code point; surrogates, which are none, are left out where the set is spelled.</summary>
    public static CharacterSet All { get; } = new((0, LastCodePoint));

    /// <summary>Code points of either set.</summary>
    public CharacterSet Union(CharacterSet other) => new(_ranges.Concat(other._ranges));

    /// <summary>All other code points.</summary>
    public CharacterSet Complement()
    {
        var rest = new List<(int, int)>();
        var from = 0;
        foreach (var (low, high) in _ranges)
        {
            if (low > from)
                rest.Add((from, low - 1));
            from = high + 1;
        }
        if (from <= LastCodePoint)
            rest.Add((from, LastCodePoint));
        return new CharacterSet(rest);
    }

    /// <summary>The ranges inside another range.</summary>
    public CharacterSet Within(int low, int high) =>
        new(_ranges.Where(r => r.Low <= high && r.High >= low).Select(r => (Math.Max(r.Low, low), Math.Min(r.High, high))));

    /// <summary>One character of the set as it stands in a JSON string: raw where JSON allows that, else by its short escape or \u00XX.</summary>
    public GrammarNode InJsonString(Grammar grammar)
    {
        var parts = new List<GrammarNode>();
        foreach (var (low, high) in _ranges)
        {
            for (var c = low; c <= Math.Min(high, 0x1F); c++)
                parts.Add(grammar.Text(EscapeOf(c)));
            foreach (var special in "\"\\")
            {
                if (low <= special && special <= high)
                    parts.Add(grammar.Text(EscapeOf(special)));
            }
        }
        foreach (var (low, high) in new[] { (0x20, 0x21), (0x23, 0x5B), (0x5D, 0xD7FF), (0xE000, LastCodePoint) })
        {
            foreach (var range in Within(low, high)._ranges)
                AddUtf8(grammar, range.Low, range.High, parts);
        }
        return grammar.Choice([.. parts]);
    }

    /// <summary>True for what may not stand raw in a JSON string (RFC 8259, section 7).</summary>
    public static bool NeedsEscape(int c) => c is < 0x20 or '"' or '\\';

    /// <summary>The escape of such a character.</summary>
    public static string EscapeOf(int c) => c switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\b' => "\\b",
        '\f' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => $"\\u{c:x4}",
    };

    // Splits a range where the number of bytes changes, then where the trailing bytes stop being a full 80-BF (RFC 3629, section 4).
    private static void AddUtf8(Grammar grammar, int low, int high, List<GrammarNode> parts)
    {
        foreach (var last in new[] { 0x7F, 0x7FF, 0xFFFF })
        {
            if (low <= last && high > last)
            {
                AddUtf8(grammar, low, last, parts);
                AddUtf8(grammar, last + 1, high, parts);
                return;
            }
        }
        if (high <= 0x7F)
        {
            parts.Add(grammar.Range(low, high));
            return;
        }
        for (var bits = 6; bits <= 18; bits += 6)
        {
            var mask = (1 << bits) - 1;
            if ((low & ~mask) == (high & ~mask))
                continue;
            if ((low & mask) != 0)
            {
                AddUtf8(grammar, low, low | mask, parts);
                AddUtf8(grammar, (low | mask) + 1, high, parts);
                return;
            }
            if ((high & mask) != mask)
            {
                AddUtf8(grammar, low, (high & ~mask) - 1, parts);
                AddUtf8(grammar, high & ~mask, high, parts);
                return;
            }
        }
        var (from, to) = (Utf8(low), Utf8(high));
        var node = grammar.Empty;
        for (var i = from.Length - 1; i >= 0; i--)
            node = grammar.Sequence(grammar.Range(from[i], to[i]), node);
        parts.Add(node);
    }

    private static byte[] Utf8(int codePoint) => System.Text.Encoding.UTF8.GetBytes(char.ConvertFromUtf32(codePoint));
}
