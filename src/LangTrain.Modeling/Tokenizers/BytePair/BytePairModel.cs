using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>Byte pair encoding of pieces: over bytes (GPT-2 and its heirs) or over characters with byte fallback (SentencePiece's BPE).</summary>
/// <remarks>Immutable; safe for any number of threads, each with a cache of its own.</remarks>
internal sealed class BytePairModel
{
    private const int Unknown = -1;
    private readonly BytePairVocabulary _vocabulary;
    private readonly BytePairOptions _options;
    private readonly MergeTable _merges;
    private readonly int[] _byteIds = new int[256];
    // The id of a piece that is one ASCII character; below 0 where that is more than a look-up.
    private readonly int[] _asciiIds = new int[128];
    private readonly int _unknownId;
    private readonly WordBorders? _borders;

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
        var allBytes = Array.TrueForAll(_byteIds, id => id >= 0);
        for (var c = 0; c < 128; c++)
        {
            _asciiIds[c] = options.ByteLevel ? _byteIds[c] : vocabulary.Find([(char)c]) is var id and >= 0 ? id : options.ByteFallback && allBytes ? _byteIds[c] : Unknown;
        }
        // Where a character can vanish, its neighbours become neighbours; where a whole piece can be an entry, it has to stay whole; a byte's
        // token does not spell its character.
        var losesNothing = _unknownId >= 0 || (options.ByteFallback && allBytes);
        if (!options.ByteLevel && !options.IgnoreMerges && losesNothing && !merges.Any(merge => _byteIds.Contains(merge.Left) || _byteIds.Contains(merge.Right)))
        {
            _borders = new WordBorders(merges.Select(merge => vocabulary.TextOf(merge.Merged)), c => vocabulary.Find([c]) >= 0 || (options.ByteFallback && allBytes));
        }
    }

    /// <summary>Appends the ids of one pre-token.</summary>
    /// <param name="piece">Not empty.</param>
    /// <param name="ids">Gets the ids at its end.</param>
    /// <param name="cache">The caller's, and used for this model alone.</param>
    public void Encode(ReadOnlySpan<char> piece, List<int> ids, PieceCache cache)
    {
        if (_borders is null)
        {
            EncodeWord(piece, ids, cache);
            return;
        }
        while (!piece.IsEmpty)
        {
            var end = _borders.First(piece);
            EncodeWord(piece[..end], ids, cache);
            piece = piece[end..];
        }
    }

    private void EncodeWord(ReadOnlySpan<char> word, List<int> ids, PieceCache cache)
    {
        if (word.Length == 1 && word[0] < 128 && _asciiIds[word[0]] is var single and >= 0)
        {
            ids.Add(single);
            return;
        }
        if (word.Length > PieceCache.MaxPieceLength)
        {
            EncodeUncached(word, ids);
            return;
        }
        var known = cache.Find(word, out var place);
        if (known.Length == 1)
        {
            ids.Add(known[0]);
            return;
        }
        if (!known.IsEmpty)
        {
            ids.AddRange(known);
            return;
        }
        var before = ids.Count;
        EncodeUncached(word, ids);
        cache.Put(place, word, CollectionsMarshal.AsSpan(ids)[before..]);
    }

    private void EncodeUncached(ReadOnlySpan<char> word, List<int> ids)
    {
        if (_options.IgnoreMerges && FindWhole(word) is var whole and >= 0)
        {
            ids.Add(whole);
            return;
        }
        // UTF-8 takes at most 3 bytes a UTF-16 unit, and a symbol is at least a byte.
        var rented = word.Length <= PieceCache.MaxPieceLength ? null : ArrayPool<int>.Shared.Rent(word.Length * 3);
        var symbols = rented is null ? stackalloc int[PieceCache.MaxPieceLength * 3] : rented;
        var count = _options.ByteLevel ? ByteSymbols(word, symbols) : CharacterSymbols(word, symbols);
        count = PieceMerger.Merge(_merges, symbols[..count]);
        ids.AddRange(symbols[..count]);
        if (rented is not null) ArrayPool<int>.Shared.Return(rented);
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
        var rented = word.Length <= PieceCache.MaxPieceLength ? null : ArrayPool<byte>.Shared.Rent(word.Length * 3);
        var bytes = rented is null ? stackalloc byte[PieceCache.MaxPieceLength * 3] : rented;
        var length = Encoding.UTF8.GetBytes(word, bytes);
        var count = 0;
        foreach (var b in bytes[..length])
        {
            // A vocabulary without a byte drops it where there is no unknown token, as the reference does.
            var id = _byteIds[b];
            if (id < 0) id = _unknownId;
            if (id >= 0) symbols[count++] = id;
        }
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
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
}
