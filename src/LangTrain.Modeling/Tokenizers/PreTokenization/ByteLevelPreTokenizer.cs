using LangTrain.Modeling.Tokenizers.BytePair;
using LangTrain.Modeling.Tokenizers.Patterns;

namespace LangTrain.Modeling.Tokenizers.PreTokenization;

/// <summary>Marks the model as working on bytes; may put a space before each piece and split as GPT-2 does.</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, SplitPreTokenizer? split) : PreTokenizer
{
    public override bool IsByteLevel => true;

    public override bool ChangesNothing => !addPrefixSpace && split is null;

    public override TextPattern? OnlyPattern => addPrefixSpace ? null : split?.OnlyPattern;

    public override void Apply(PieceList pieces)
    {
        if (addPrefixSpace) pieces.Rewrite(static (piece, _) => piece.StartsWith(' ') ? piece : " " + piece);
        split?.Apply(pieces);
    }
}

/// <summary>One pre-tokenizer behind the other.</summary>
internal sealed class PreTokenizerSequence : PreTokenizer
{
    private readonly PreTokenizer[] _items;

    // Behind ByteLevel it is the byte alphabet's characters that are split on, not the text's, and the model works on them as on any others.
    private readonly bool _writesBytes;

    public PreTokenizerSequence(PreTokenizer[] items, string path)
    {
        _items = items;
        _writesBytes = items.SkipLast(1).Any(item => item.IsByteLevel);
        if (items.Count(item => item.IsByteLevel) > 1) throw new UnsupportedTokenizerException(path + ".pretokenizers", "ByteLevel stands there twice");
    }

    public override bool IsByteLevel => !_writesBytes && _items.Length > 0 && _items[^1].IsByteLevel;

    public override bool ChangesNothing => !_writesBytes && _items.All(item => item.ChangesNothing);

    public override TextPattern? OnlyPattern => !_writesBytes && _items.Where(item => !item.ChangesNothing).ToList() is [var only] ? only.OnlyPattern : null;

    public override void Apply(PieceList pieces)
    {
        foreach (var item in _items)
        {
            item.Apply(pieces);
            if (_writesBytes && item.IsByteLevel) pieces.Rewrite(static (piece, _) => ByteAlphabet.Write(piece));
        }
    }
}
