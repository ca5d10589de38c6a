using LangTrain.Modeling.Tokenizers.Patterns;

namespace LangTrain.Modeling.Tokenizers.PreTokenization;

/// <summary>What becomes of the matches of a split.</summary>
internal enum SplitBehavior
{
    Isolated,
    Removed,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// <summary>Cuts at the matches of a literal or a pattern.</summary>
internal sealed class SplitPreTokenizer(string? literal, TextPattern? pattern, SplitBehavior behavior, bool invert) : PreTokenizer
{
    public static SplitPreTokenizer ByPattern(string pattern, SplitBehavior behavior) => new(null, TextPattern.Compile(pattern), behavior, invert: false);

    public override TextPattern? OnlyPattern => behavior == SplitBehavior.Isolated ? pattern : null;

    public override void Apply(PieceList pieces) => pieces.Recut((start, end) => Cut(pieces, start, end));

    private void Cut(PieceList pieces, int start, int end)
    {
        // A piece is matched as a text of its own: look-arounds do not see its neighbours.
        var text = pieces.Text.AsSpan(start, end - start);
        if (behavior == SplitBehavior.Isolated)
        {
            CutIsolated(pieces, text, start);
            return;
        }
        var spans = Spans(text);
        switch (behavior)
        {
            case SplitBehavior.Removed:
                foreach (var (from, to, isMatch) in spans)
                {
                    if (!isMatch) pieces.Keep(start + from, start + to);
                }
                break;
            case SplitBehavior.Contiguous:
                Join(pieces, start, spans, static (previous, current) => previous == current);
                break;
            case SplitBehavior.MergedWithPrevious:
                Join(pieces, start, spans, static (previous, current) => current && !previous);
                break;
            case SplitBehavior.MergedWithNext:
                Join(pieces, start, spans, static (previous, current) => previous && !current);
                break;
        }
    }

    private void CutIsolated(PieceList pieces, ReadOnlySpan<char> text, int offset)
    {
        var done = 0;
        while (done < text.Length && Next(text, done, out var from, out var to))
        {
            pieces.Keep(offset + done, offset + from);
            pieces.Keep(offset + from, offset + to);
            done = to;
        }
        pieces.Keep(offset + done, offset + text.Length);
    }

    private List<(int From, int To, bool IsMatch)> Spans(ReadOnlySpan<char> text)
    {
        var spans = new List<(int, int, bool)>();
        var done = 0;
        while (done < text.Length && Next(text, done, out var from, out var to))
        {
            if (from > done) spans.Add((done, from, invert));
            spans.Add((from, to, !invert));
            done = to;
        }
        if (done < text.Length) spans.Add((done, text.Length, invert));
        return spans;
    }

    private static void Join(PieceList pieces, int offset, List<(int From, int To, bool IsMatch)> spans, Func<bool, bool, bool> joins)
    {
        var start = 0;
        for (var i = 1; i <= spans.Count; i++)
        {
            if (i < spans.Count && joins(spans[i - 1].IsMatch, spans[i].IsMatch)) continue;
            pieces.Keep(offset + spans[start].From, offset + spans[i - 1].To);
            start = i;
        }
    }

    private bool Next(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        if (pattern is not null) return pattern.Find(text, from, out start, out end);
        var index = literal!.Length == 0 ? -1 : text[from..].IndexOf(literal, StringComparison.Ordinal);
        (start, end) = (from + index, from + index + literal.Length);
        return index >= 0;
    }
}
