using System.Buffers;
using System.Text;

namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>Byte pair encoding of pieces: over bytes (GPT-2 and its heirs) or over characters with byte fallback (SentencePiece's BPE).</summary>
/// <remarks>Immutable but for its cache; safe for any number of threads.</remarks>
internal sealed class BytePairModel
{
    private const char SentencePieceSpace = '\u2581';
    private const int Unknown = -1;
    private readonly BytePairVocabulary _vocabulary;
    private readonly BytePairOptions _options;
    private readonly MergeTable _merges;
    private readonly PieceCache _cache = new();
    private readonly int[] _byteIds = new int[256];
    private readonly int _unknownId;
    private readonly bool _splitsAtSpaces;

    /// <param name="vocabulary">All entries of the model, without added tokens.</param>
    /// <param name="merges">Left id, right id and the merged id, best rule first.</param>
    /// <param name="options">How pieces become symbols.</param>
    public BytePairModel(BytePairVocabulary vocabulary, IReadOnlyList<(int Left, int Right, int Merged)> merges, BytePairOptions options)
    {
        _vocabulary = vocabulary;
        _options = options;
        _merges = new MergeTable(merges);
        _unknownId = options.UnknownToken is null ? Unknown : vocabulary.Find(options.UnknownToken);
        for (var b = 0; b < 256; b++)
        {
            _byteIds[b] = options.ByteLevel ? vocabulary.Find([ByteAlphabet.CharOf((byte)b)]) : vocabulary.Find($"<0x{b:X2}>");
        }
        // Where a character can vanish, its neighbours become neighbours; where a whole piece can be an entry, it has to stay whole.
        var losesNothing = _unknownId >= 0 || (options.ByteFallback && Array.TrueForAll(_byteIds, id => id >= 0));
        _splitsAtSpaces = !options.ByteLevel && !options.IgnoreMerges && losesNothing && merges.All(merge => !JoinsTextToSpace(vocabulary.TextOf(merge.Merged)));
    }

    /// <summary>Appends the ids of one pre-token.</summary>
    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (!_splitsAtSpaces)
        {
            EncodeWord(piece, ids);
            return;
        }
        // No rule joins a space mark to text before it, so that nothing crosses this border and words can be encoded (and cached) one by one.
        while (!piece.IsEmpty)
        {
            var end = WordEnd(piece);
            EncodeWord(piece[..end], ids);
            piece = piece[end..];
        }
    }

    private void EncodeWord(ReadOnlySpan<char> word, List<int> ids)
    {
        var slot = -1;
        if (word.Length <= PieceCache.MaxPieceLength && _cache.Find(word, out slot) is { } known)
        {
            ids.AddRange(known);
            return;
        }
        var before = ids.Count;
        EncodeUncached(word, ids);
        if (slot >= 0) _cache.Put(slot, word, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ids)[before..]);
    }

    private void EncodeUncached(ReadOnlySpan<char> word, List<int> ids)
    {
        // UTF-8 takes at most 3 bytes a UTF-16 unit, and a symbol is at least a byte.
        var symbolBuffer = ArrayPool<int>.Shared.Rent(word.Length * 3);
        try
        {
            if (_options.IgnoreMerges && FindWhole(word) is var whole and >= 0)
            {
                ids.Add(whole);
                return;
            }
            var count = _options.ByteLevel ? ByteSymbols(word, symbolBuffer) : CharacterSymbols(word, symbolBuffer);
            count = PieceMerger.Merge(_merges, symbolBuffer.AsSpan(0, count));
            ids.AddRange(symbolBuffer.AsSpan(0, count));
        }
        finally
        {
            ArrayPool<int>.Shared.Return(symbolBuffer);
        }
    }

    private int FindWhole(ReadOnlySpan<char> word)
    {
        if (!_options.ByteLevel) return _vocabulary.Find(word);
        Span<byte> bytes = stackalloc byte[256];
        // Longer than any entry that a vocabulary has use for.
        if (word.Length > 256 / 3) return Encoding.UTF8.GetByteCount(word) > 4096 ? Unknown : FindWhole(Encoding.UTF8.GetBytes(word.ToArray()));
        return FindWhole(bytes[..Encoding.UTF8.GetBytes(word, bytes)]);
    }

    private int FindWhole(ReadOnlySpan<byte> bytes)
    {
        Span<char> characters = bytes.Length <= 256 ? stackalloc char[bytes.Length] : new char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++) characters[i] = ByteAlphabet.CharOf(bytes[i]);
        return _vocabulary.Find(characters);
    }

    private int ByteSymbols(ReadOnlySpan<char> word, Span<int> symbols)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(word.Length * 3);
        var length = Encoding.UTF8.GetBytes(word, bytes);
        var count = 0;
        foreach (var b in bytes.AsSpan(0, length))
        {
            // A vocabulary without a byte drops it where there is no unknown token, as the reference does.
            var id = _byteIds[b];
            if (id < 0) id = _unknownId;
            if (id >= 0) symbols[count++] = id;
        }
        ArrayPool<byte>.Shared.Return(bytes);
        return count;
    }

    private int CharacterSymbols(ReadOnlySpan<char> word, Span<int> symbols)
    {
        var count = 0;
        var pendingUnknown = false;
        Span<byte> utf8 = stackalloc byte[4];
        while (!word.IsEmpty)
        {
            Rune.DecodeFromUtf16(word, out var rune, out var width);
            var id = _vocabulary.Find(rune);
            if (id >= 0)
            {
                if (pendingUnknown) symbols[count++] = _unknownId;
                pendingUnknown = false;
                symbols[count++] = id;
            }
            else if (!_options.ByteFallback || !TryByteFallback(utf8[..rune.EncodeToUtf8(utf8)], symbols, ref count))
            {
                // Unknown characters in a row become one token where the model says so.
                if (_unknownId >= 0 && pendingUnknown && !_options.FuseUnknown) symbols[count++] = _unknownId;
                pendingUnknown = _unknownId >= 0;
            }
            word = word[width..];
        }
        if (pendingUnknown) symbols[count++] = _unknownId;
        return count;
    }

    private bool TryByteFallback(ReadOnlySpan<byte> utf8, Span<int> symbols, ref int count)
    {
        foreach (var b in utf8)
        {
            if (_byteIds[b] < 0) return false;
        }
        foreach (var b in utf8) symbols[count++] = _byteIds[b];
        return true;
    }

    /// <summary>The first border between text and a space mark.</summary>
    private static int WordEnd(ReadOnlySpan<char> piece)
    {
        var text = piece.IndexOfAnyExcept(SentencePieceSpace);
        if (text < 0) return piece.Length;
        var space = piece[text..].IndexOf(SentencePieceSpace);
        return space < 0 ? piece.Length : text + space;
    }

    private static bool JoinsTextToSpace(string entry)
    {
        var space = entry.LastIndexOf(SentencePieceSpace);
        return space > 0 && entry.AsSpan(0, space).IndexOfAnyExcept(SentencePieceSpace) >= 0;
    }
}
