namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>The pairs of neighbouring characters that no merge rule ever joins: a text can be cut there and its parts be merged one by one. Immutable.</summary>
/// <remarks>
/// What a rule makes is an entry whose text is that of its two sides. A pair of characters that stands in no such entry is therefore never joined,
/// and what happens on one side of it does not change the other. Characters beyond ASCII count as one, but for SentencePiece's space mark.
/// </remarks>
internal sealed class WordBorders
{
    private const char SpaceMark = '\u2581';
    private const int MarkClass = 128, OtherClass = 129, Stride = 256;
    private readonly bool[] _joined = new bool[Stride * Stride];

    /// <param name="merged">The texts of all entries that a rule makes.</param>
    /// <param name="isKnown">Whether a character is an entry, or always becomes bytes. Unknown ones in a row may become one token, and stay together.</param>
    public WordBorders(IEnumerable<string> merged, Func<char, bool> isKnown)
    {
        foreach (var text in merged)
        {
            for (var i = 1; i < text.Length; i++) _joined[PairOf(text[i - 1], text[i])] = true;
        }
        // One of the class may be a part of a character, or unknown.
        _joined[OtherClass * Stride + OtherClass] = true;
        bool MayBeUnknown(int kind) => kind == OtherClass || !isKnown(kind == MarkClass ? SpaceMark : (char)kind);
        var unknown = Enumerable.Range(0, OtherClass + 1).Where(MayBeUnknown).ToList();
        foreach (var left in unknown)
        {
            foreach (var right in unknown) _joined[left * Stride + right] = true;
        }
    }

    /// <summary>How many characters there are up to the first border; all of them where there is none.</summary>
    /// <param name="text">Not empty.</param>
    public int First(ReadOnlySpan<char> text)
    {
        var left = ClassOf(text[0]);
        for (var i = 1; i < text.Length; i++)
        {
            var right = ClassOf(text[i]);
            if (!_joined[left * Stride + right]) return i;
            left = right;
        }
        return text.Length;
    }

    private static int PairOf(char left, char right) => ClassOf(left) * Stride + ClassOf(right);

    private static int ClassOf(char c) => c < 128 ? c : c == SpaceMark ? MarkClass : OtherClass;
}
