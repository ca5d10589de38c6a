namespace LangTrain.Modeling.Tokenizers.Patterns;

/// <summary>The best-known split patterns written out for ASCII, which is most of most texts; any other character is left to the general matcher. Immutable.</summary>
internal sealed class AsciiSplitter
{
    private const string Llama3Digits = @"\p{N}{1,3}", Qwen2Digits = @"\p{N}";
    private const byte Other = 0, Letter = 1, Digit = 2, Space = 3, LineBreak = 4, Foreign = 5;
    private static readonly byte[] Kinds = BuildKinds();

    // GPT-2's pattern, or the one that Llama 3 and Qwen share but for the number of digits.
    private readonly bool _isGpt2;
    private readonly int _maxDigits;

    private AsciiSplitter(bool isGpt2, int maxDigits) => (_isGpt2, _maxDigits) = (isGpt2, maxDigits);

    /// <summary>GPT-2's split, which the ByteLevel pre-tokenizer brings along.</summary>
    public static string Gpt2Pattern => @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The splitter of a pattern, by its spelling; null for all but the known ones.</summary>
    public static AsciiSplitter? Of(string pattern)
    {
        if (pattern == Gpt2Pattern) return new AsciiSplitter(isGpt2: true, int.MaxValue);
        if (pattern == LaterPattern(Llama3Digits)) return new AsciiSplitter(isGpt2: false, 3);
        return pattern == LaterPattern(Qwen2Digits) ? new AsciiSplitter(isGpt2: false, 1) : null;
    }

    /// <summary>The end of the match that starts exactly at <paramref name="start"/>; -1 where a character beyond ASCII has a say in it.</summary>
    public int MatchAt(ReadOnlySpan<char> text, int start)
    {
        var first = KindAt(text, start);
        switch (first)
        {
            case Letter:
                return Run(text, start + 1, Letter);
            case Digit when _maxDigits != int.MaxValue:
                return Digits(text, start);
            case Digit:
                return Run(text, start + 1, Digit);
            case Foreign:
                return -1;
        }
        var next = start + 1 < text.Length ? KindAt(text, start + 1) : LineBreak;
        if (next == Foreign) return -1;
        if (text[start] == '\'' && next == Letter)
        {
            var end = Contraction(text, start);
            if (end != 0) return end;
        }
        var isBlank = text[start] == ' ';
        // Llama 3 joins any one character but a line break to the letters behind it, GPT-2 a blank only, but also to digits.
        if (next == Letter && (isBlank || (!_isGpt2 && first != LineBreak))) return Run(text, start + 2, Letter);
        if (next == Digit && isBlank && _isGpt2) return Run(text, start + 2, Digit);
        if (first == Other || (isBlank && next == Other && start + 1 < text.Length))
        {
            var end = Run(text, start + 1, Other);
            if (end < 0 || _isGpt2) return end;
            while (end < text.Length && text[end] is '\r' or '\n') end++;
            return end;
        }
        return WhiteSpace(text, start);
    }

    /// <summary>White space up to the last line break in it (not GPT-2); or else all of it but the last character where text follows.</summary>
    private int WhiteSpace(ReadOnlySpan<char> text, int start)
    {
        var (end, behindLineBreak) = (start, -1);
        for (; end < text.Length; end++)
        {
            var kind = KindAt(text, end);
            if (kind == Foreign) return -1;
            if (kind is not (Space or LineBreak)) break;
            if (kind == LineBreak) behindLineBreak = end + 1;
        }
        if (!_isGpt2 && behindLineBreak >= 0) return behindLineBreak;
        return end == text.Length || end == start + 1 ? end : end - 1;
    }

    private int Digits(ReadOnlySpan<char> text, int start)
    {
        for (var end = start + 1; ; end++)
        {
            if (end - start == _maxDigits || end == text.Length) return end;
            var kind = KindAt(text, end);
            if (kind != Digit) return kind == Foreign ? -1 : end;
        }
    }

    /// <summary>The end of <c>'s</c>, <c>'t</c>, <c>'re</c>, <c>'ve</c>, <c>'m</c>, <c>'ll</c> or <c>'d</c>; 0 where there is none, -1 where that is not sure.</summary>
    private int Contraction(ReadOnlySpan<char> text, int start)
    {
        var first = Folded(text[start + 1]);
        if (first is 's' or 't' or 'm' or 'd') return start + 2;
        if (first is not ('r' or 'v' or 'l') || start + 2 >= text.Length) return 0;
        var second = text[start + 2];
        if (second >= 128) return -1;
        return Folded(second) == (first == 'l' ? 'l' : 'e') ? start + 3 : 0;
    }

    private char Folded(char letter) => _isGpt2 ? letter : (char)(letter | 0x20);

    private static int Run(ReadOnlySpan<char> text, int from, byte kind)
    {
        for (var end = from; end < text.Length; end++)
        {
            var found = KindAt(text, end);
            if (found != kind) return found == Foreign ? -1 : end;
        }
        return text.Length;
    }

    private static byte KindAt(ReadOnlySpan<char> text, int index) => text[index] is var c && c < 128 ? Kinds[c] : Foreign;

    private static string LaterPattern(string digits) =>
        $@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static byte[] BuildKinds()
    {
        var kinds = new byte[128];
        for (var c = '\0'; c < 128; c++)
        {
            kinds[c] = char.IsAsciiLetter(c) ? Letter : char.IsAsciiDigit(c) ? Digit : c is '\r' or '\n' ? LineBreak : char.IsWhiteSpace(c) ? Space : Other;
        }
        return kinds;
    }
}
