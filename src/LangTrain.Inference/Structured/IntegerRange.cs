using System.Globalization;

namespace LangTrain.Inference.Structured;

/// <summary>The decimal spellings of the integers between two bounds, as an expression.</summary>
internal static class IntegerRange
{
    private const int MaxDigits = 18;

    /// <summary>Integers from <paramref name="low"/> to <paramref name="high"/>; null is no bound (18 digits then).</summary>
    public static GrammarNode Between(Grammar grammar, long? low, long? high)
    {
        var largest = long.Parse(new string('9', MaxDigits), CultureInfo.InvariantCulture);
        var (from, to) = (Math.Max(low ?? -largest, -largest), Math.Min(high ?? largest, largest));
        if (from > to)
            return grammar.Nothing;
        var parts = new List<GrammarNode>();
        if (from < 0)
            parts.Add(grammar.Sequence(grammar.Text("-"), Positive(grammar, Math.Max(-to, 1), -from)));
        if (from <= 0 && to >= 0)
            parts.Add(grammar.Text("0"));
        if (to > 0)
            parts.Add(Positive(grammar, Math.Max(from, 1), to));
        return grammar.Choice([.. parts]);
    }

    // 1 <= low <= high: for each number of digits, the part of the range that has it.
    private static GrammarNode Positive(Grammar grammar, long low, long high)
    {
        var parts = new List<GrammarNode>();
        for (long first = 1; first <= high && first <= 100_000_000_000_000_000; first *= 10)
        {
            var last = first * 10 - 1;
            if (last >= low)
                parts.Add(Digits(grammar, Text(Math.Max(low, first)), Text(Math.Min(high, last))));
        }
        return grammar.Choice([.. parts]);
    }

    // Both have the same number of digits.
    private static GrammarNode Digits(Grammar grammar, ReadOnlySpan<char> low, ReadOnlySpan<char> high)
    {
        if (low.Length == 0)
            return grammar.Empty;
        if (!low.ContainsAnyExcept('0') && !high.ContainsAnyExcept('9'))
            return grammar.Repeat(grammar.Range('0', '9'), low.Length, low.Length);
        var rest = low.Length - 1;
        if (low[0] == high[0])
            return grammar.Sequence(grammar.Range(low[0], low[0]), Digits(grammar, low[1..], high[1..]));
        var any = rest == 0 ? grammar.Empty : grammar.Repeat(grammar.Range('0', '9'), rest, rest);
        var parts = new List<GrammarNode>
        {
            grammar.Sequence(grammar.Range(low[0], low[0]), Digits(grammar, low[1..], new string('9', rest))),
            grammar.Sequence(grammar.Range(high[0], high[0]), Digits(grammar, new string('0', rest), high[1..])),
        };
        if (high[0] - low[0] > 1)
            parts.Add(grammar.Sequence(grammar.Range(low[0] + 1, high[0] - 1), any));
        return grammar.Choice([.. parts]);
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
