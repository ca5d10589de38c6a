namespace LangTrain.Modeling.Tokenizers.Patterns;

/// <summary>A compiled regular expression over code points; immutable and safe for any number of threads.</summary>
/// <remarks>
/// Matches as Oniguruma does (leftmost, first alternative that succeeds). Backtracking lives on a heap stack, so that ten million
/// characters without a space cannot overflow the thread's own.
/// </remarks>
internal sealed class TextPattern
{
    private readonly int[] _code;
    private readonly CodePointSet[] _sets;
    // The alternatives at the top, each with the ASCII characters that it can start with: most are skipped by one look.
    private readonly int[] _entries;
    private readonly int[][] _entriesByAscii;
    private readonly AsciiSplitter? _ascii;

    private TextPattern(int[] code, CodePointSet[] sets, int[] entries, int[][] entriesByAscii, AsciiSplitter? ascii)
    {
        _code = code;
        _sets = sets;
        _entries = entries;
        _entriesByAscii = entriesByAscii;
        _ascii = ascii;
    }

    /// <exception cref="FormatException">The pattern is malformed or uses a construct that is not understood.</exception>
    public static TextPattern Compile(string pattern) => Compile(pattern, AsciiSplitter.Of(pattern));

    /// <summary>The pattern by its code alone, without what is written out for well-known ones.</summary>
    internal static TextPattern CompilePlainly(string pattern) => Compile(pattern, null);

    private static TextPattern Compile(string pattern, AsciiSplitter? ascii)
    {
        var root = PatternParser.Parse(pattern);
        var alternatives = root is PatternNode.Alternatives top ? top.Items : [root];
        var compiler = new PatternCompiler();
        var entries = alternatives.Select(compiler.AddEntry).ToArray();
        var firsts = alternatives.Select(PatternAnalysis.FirstAscii).ToArray();
        var byAscii = Enumerable.Range(0, 128).Select(c => entries.Where((_, i) => firsts[i][c]).ToArray()).ToArray();
        return new TextPattern(compiler.Code, compiler.Sets, entries, byAscii, ascii);
    }

    /// <summary>The end of the match that starts exactly at <paramref name="start"/>, or -1.</summary>
    /// <exception cref="InvalidOperationException">The pattern backtracks without end on this text.</exception>
    public int MatchAt(ReadOnlySpan<char> text, int start)
    {
        if (start >= text.Length) return -1;
        if (_ascii is not null && _ascii.MatchAt(text, start) is var known and >= 0) return known;
        return MatchByCode(text, start);
    }

    private int MatchByCode(ReadOnlySpan<char> text, int start)
    {
        var c = text[start];
        var matcher = new PatternMatcher(_code, _sets, text, stackalloc int[3 * 8]);
        foreach (var entry in c < 128 ? _entriesByAscii[c] : _entries)
        {
            var end = matcher.Run(entry, start);
            if (end >= 0) return end;
        }
        return -1;
    }

    /// <summary>Finds the first match at or behind <paramref name="from"/>. An empty one (of a look-ahead alone) counts behind it only, so that a search that goes on from a match gets ahead.</summary>
    public bool Find(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        for (start = from; start < text.Length; start++)
        {
            end = MatchAt(text, start);
            if (end > start || (end == start && start > from)) return true;
            if (char.IsHighSurrogate(text[start]) && start + 1 < text.Length && char.IsLowSurrogate(text[start + 1])) start++;
        }
        end = -1;
        return false;
    }
}
