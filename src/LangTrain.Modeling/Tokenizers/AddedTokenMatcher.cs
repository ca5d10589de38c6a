using System.Buffers;
using System.Text;
using LangTrain.Modeling.Tokenizers.Patterns;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>Finds added tokens in a text: leftmost, and of several at one place the longest. Immutable.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly Dictionary<string, AddedToken>.AlternateLookup<ReadOnlySpan<char>> _byContent;
    private readonly SearchValues<char> _firstCharacters;
    private readonly Dictionary<char, int[]> _lengthsByFirst;
    private readonly bool _isEmpty;
    private readonly bool _onlyControl;

    /// <param name="tokens">Each with the text to look for, which is its content, normalized where it says so.</param>
    public AddedTokenMatcher(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        var byContent = new Dictionary<string, AddedToken>();
        foreach (var (text, token) in tokens)
        {
            if (text.Length > 0) byContent[text] = token;
        }
        _isEmpty = byContent.Count == 0;
        _onlyControl = byContent.Values.All(token => token.IsControl);
        _byContent = byContent.GetAlternateLookup<ReadOnlySpan<char>>();
        _lengthsByFirst = byContent.Keys.GroupBy(text => text[0]).ToDictionary(group => group.Key, group => group.Select(text => text.Length).Distinct().OrderDescending().ToArray());
        _firstCharacters = SearchValues.Create([.. _lengthsByFirst.Keys]);
    }

    /// <summary>Whether there are tokens to look for at all.</summary>
    /// <param name="parseControl">Whether control tokens are looked for.</param>
    public bool CanFind(bool parseControl) => parseControl ? !_isEmpty : !_onlyControl;

    /// <summary>Cuts a text into stretches of plain text (token null) and added tokens.</summary>
    /// <param name="text">The text.</param>
    /// <param name="parseControl">Whether control tokens are looked for at all.</param>
    /// <param name="isPlain">For each character whether it may not be part of a control token; empty for none.</param>
    /// <param name="parts">Gets the cut text, start to end.</param>
    public void Split(string text, bool parseControl, ReadOnlySpan<bool> isPlain, List<(int Start, int End, AddedToken? Token)> parts)
    {
        parts.Clear();
        var done = 0;
        var at = 0;
        while (Next(text, at, parseControl, isPlain, out var start, out var end) is { } token)
        {
            if (token.SingleWord && (EndsWithWord(text.AsSpan(0, start)) || StartsWithWord(text.AsSpan(end))))
            {
                at = end;
                continue;
            }
            // The next search starts behind the text itself, not behind the white space that it swallows: the reference finds a token there once more.
            at = end;
            if (token.StripLeft)
            {
                while (start > done && char.IsWhiteSpace(text[start - 1])) start--;
            }
            if (token.StripRight)
            {
                while (end < text.Length && char.IsWhiteSpace(text[end])) end++;
            }
            if (start > done) parts.Add((done, start, null));
            parts.Add((start, end, token));
            done = end;
        }
        if (done < text.Length) parts.Add((done, text.Length, null));
    }

    private AddedToken? Next(string text, int at, bool parseControl, ReadOnlySpan<bool> isPlain, out int start, out int end)
    {
        for (start = at; CanFind(parseControl) && start < text.Length; start++)
        {
            var step = text.AsSpan(start).IndexOfAny(_firstCharacters);
            if (step < 0) break;
            start += step;
            foreach (var length in _lengthsByFirst[text[start]])
            {
                end = start + length;
                if (end > text.Length || !_byContent.TryGetValue(text.AsSpan(start, length), out var token)) continue;
                if (!token.IsControl || (parseControl && (isPlain.IsEmpty || !isPlain.Slice(start, length).Contains(true)))) return token;
            }
        }
        end = -1;
        return null;
    }

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && CodePointSet.IsRustWord(rune.Value);

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && CodePointSet.IsRustWord(rune.Value);
}
