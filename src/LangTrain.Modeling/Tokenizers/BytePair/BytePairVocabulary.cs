using System.Text;

namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>The model's entries by text and by id; immutable.</summary>
internal sealed class BytePairVocabulary
{
    private readonly Dictionary<string, int> _idOfText;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idOfSpan;
    private readonly string?[] _textOfId;
    private readonly int[] _idOfAscii = new int[128];

    public BytePairVocabulary(Dictionary<string, int> idOfText)
    {
        _idOfText = idOfText;
        _idOfSpan = idOfText.GetAlternateLookup<ReadOnlySpan<char>>();
        _textOfId = new string?[idOfText.Count == 0 ? 0 : idOfText.Values.Max() + 1];
        foreach (var (text, id) in idOfText) _textOfId[id] = text;
        for (var c = 0; c < 128; c++) _idOfAscii[c] = Find([(char)c]);
    }

    /// <summary>One more than the largest id.</summary>
    public int Size => _textOfId.Length;

    /// <summary>The id of an entry, or -1.</summary>
    public int Find(ReadOnlySpan<char> text) => _idOfSpan.TryGetValue(text, out var id) ? id : -1;

    public int Find(Rune rune)
    {
        if (rune.IsAscii) return _idOfAscii[rune.Value];
        Span<char> text = stackalloc char[2];
        return Find(text[..rune.EncodeToUtf16(text)]);
    }

    public string TextOf(int id) => (uint)id < (uint)_textOfId.Length ? _textOfId[id] ?? "" : "";

    public IReadOnlyDictionary<string, int> Entries => _idOfText;
}
