using System.Text;
using LangTrain.Modeling.Tokenizers.BytePair;
using LangTrain.Modeling.Tokenizers.Patterns;
using LangTrain.Modeling.Tokenizers.PreTokenization;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>Text to token ids and back, exactly as the model's own <c>tokenizer.json</c> says; immutable and safe for any number of threads.</summary>
/// <remarks>
/// Byte-level BPE (GPT-2, Llama 3, Qwen, …) and SentencePiece-style BPE with byte fallback (Llama 2, Phi-3, Gemma, …).
/// A key that this code would not honour fails the load, so that a tokenizer that loads gives the reference's ids.
/// </remarks>
public sealed class Tokenizer
{
    private readonly TokenizerFile _file;
    private readonly PostProcessor _postProcessor;
    private readonly AddedTokenMatcher _rawTokens;
    private readonly AddedTokenMatcher? _normalizedTokens;
    private readonly string?[] _entries;
    private readonly byte[]?[] _bytes;
    private readonly bool[] _isSpecial;
    private readonly Dictionary<string, int> _addedIds = [];
    private readonly Dictionary<int, string> _normalizedContents = [];
    private readonly PieceCachePool _caches = new();
    private readonly TextPattern? _splitPattern;

    /// <param name="file">What tokenizer.json says, or what stands for it.</param>
    /// <param name="settings">What lies beside it.</param>
    /// <param name="isBuilt">There is no tokenizer.json: only the settings say what belongs around a text.</param>
    private Tokenizer(TokenizerFile file, TokenizerSettings settings, bool isBuilt)
    {
        file = file with { AddedTokens = AddedTokenList.Join(file.AddedTokens, file.Vocabulary, settings, isBuilt) };
        _file = file;
        _splitPattern = file.PreTokenizer?.OnlyPattern;
        VocabularySize = Math.Max(file.Vocabulary.Size, file.AddedTokens.Select(token => token.Id + 1).DefaultIfEmpty().Max());
        _entries = new string?[VocabularySize];
        _bytes = new byte[]?[VocabularySize];
        _isSpecial = new bool[VocabularySize];
        foreach (var (text, id) in file.Vocabulary.Entries) _entries[id] = text;
        foreach (var token in file.AddedTokens)
        {
            _entries[token.Id] = token.Content;
            _addedIds[token.Content] = token.Id;
            _isSpecial[token.Id] = token.IsControl;
        }
        var normalized = file.AddedTokens.Where(token => token.Normalized).Select(token => (Text: Normalize(token.Content), Token: token)).ToList();
        foreach (var (text, token) in normalized) _normalizedContents[token.Id] = text;
        for (var id = 0; id < VocabularySize; id++) _bytes[id] = _entries[id] is null ? null : file.Decoder.BytesOf(Written(id));
        _rawTokens = new AddedTokenMatcher(file.AddedTokens.Where(token => !token.Normalized).Select(token => (token.Content, token)));
        _normalizedTokens = normalized.Count == 0 ? null : new AddedTokenMatcher(normalized);

        BosToken = Known(settings.BosToken?.Content) ?? FirstKnown("<|begin_of_text|>", "<s>", "<bos>");
        EosToken = Known(settings.EosToken?.Content) ?? FirstKnown("<|end_of_text|>", "</s>", "<eos>", "<|endoftext|>", "<|im_end|>");
        BosTokenId = Find(BosToken);
        EosTokenId = Find(EosToken);
        PadTokenId = Find(settings.PadToken?.Content ?? file.PadToken);
        // A beginning or end of text is one, whatever its entry says.
        foreach (var id in (ReadOnlySpan<int?>)[BosTokenId, EosTokenId, PadTokenId])
        {
            if (id is { } known) _isSpecial[known] = true;
        }
        ControlTokens = [.. file.AddedTokens.Where(token => token.IsControl).Select(token => token.Content)];
        _postProcessor = isBuilt ? AroundText(settings) : file.PostProcessor;
        foreach (var id in IdsBefore.Concat(IdsBehind))
        {
            if (id < 0 || id >= VocabularySize) throw new UnsupportedTokenizerException("post_processor", $"the vocabulary has no token {id}");
        }
    }

    /// <summary>One more than the largest id.</summary>
    public int VocabularySize { get; }

    /// <summary>The text that begins a sequence for this model; null where it has none.</summary>
    public string? BosToken { get; }

    /// <summary>The text that ends a sequence for this model; null where it has none.</summary>
    public string? EosToken { get; }

    /// <summary>Id of <see cref="BosToken"/>.</summary>
    public int? BosTokenId { get; }

    /// <summary>Id of <see cref="EosToken"/>. A model may stop at more: those of generation_config.json.</summary>
    public int? EosTokenId { get; }

    /// <summary>Id that fills a batch; null where the files name none.</summary>
    public int? PadTokenId { get; }

    /// <summary>All added tokens, those that only the settings name included.</summary>
    internal IReadOnlyList<AddedToken> AddedTokens => _file.AddedTokens;

    /// <summary>The texts of all tokens that plain text must not become.</summary>
    internal IReadOnlyList<string> ControlTokens { get; }

    internal int LeadingCount => _file.Decoder.LeadingCount;

    internal char LeadingCharacter => _file.Decoder.LeadingCharacter;

    /// <summary>What stands between two tokens of a decoded text: nothing, or without a decoder a space.</summary>
    internal ReadOnlySpan<byte> Separator => _file.Decoder.IsAbsent ? " "u8 : [];

    /// <summary>What a token adds to a text that starts with it.</summary>
    internal ReadOnlySpan<byte> FirstTokenBytes(int id) => _file.Decoder.MarkLeftOutOfFirst is { } mark && Written(id) is var entry && entry.Contains(mark, StringComparison.Ordinal)
        ? _file.Decoder.BytesOf(entry.Replace(mark, "", StringComparison.Ordinal))
        : TokenBytes(id);

    /// <summary>
    /// Loads <c>tokenizer.json</c>, or where there is none <c>tokenizer.model</c>, or <c>vocab.json</c> and <c>merges.txt</c>; with the tokens that
    /// <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c> add.
    /// </summary>
    /// <param name="folder">A model's folder in Hugging Face's layout.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnsupportedTokenizerException">A key of one is not understood, or the files do not say how text is split.</exception>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public static Tokenizer Load(string folder)
    {
        var settings = TokenizerSettings.Read(folder);
        var (json, isBuilt) = TokenizerFolder.ReadJson(folder, settings);
        return new Tokenizer(TokenizerFile.Parse(json), settings, isBuilt);
    }

    /// <summary>Makes a tokenizer from the bytes of a tokenizer.json alone.</summary>
    /// <param name="json">UTF-8 JSON.</param>
    /// <exception cref="UnsupportedTokenizerException">A key of it is not understood.</exception>
    /// <exception cref="InvalidDataException">It is not valid JSON.</exception>
    public static Tokenizer Parse(ReadOnlyMemory<byte> json) => new(TokenizerFile.Parse(json), TokenizerSettings.Empty, isBuilt: false);

    /// <summary>Encodes a text.</summary>
    /// <param name="text">Any text; a lone surrogate counts as U+FFFD.</param>
    /// <param name="addSpecialTokens">Add what belongs around a sequence (mostly the beginning of text).</param>
    /// <param name="parseSpecialTokens">Let special tokens written out in the text become those tokens. Never for text from users.</param>
    /// <returns>A fresh list.</returns>
    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = false, bool parseSpecialTokens = false)
    {
        var ids = new List<int>(text.Length / 4 + 8);
        if (addSpecialTokens) ids.AddRange(_postProcessor.Before);
        EncodeTo(ids, text, parseSpecialTokens);
        if (addSpecialTokens) ids.AddRange(_postProcessor.Behind);
        return ids;
    }

    /// <summary>The ids that belong before a sequence (mostly the beginning of text); empty for many models.</summary>
    public IReadOnlyList<int> IdsBefore => _postProcessor.Before;

    /// <summary>The ids that belong behind a sequence; empty for nearly all models.</summary>
    public IReadOnlyList<int> IdsBehind => _postProcessor.Behind;

    /// <summary>Appends a text's ids to a list, without special tokens around them.</summary>
    /// <param name="ids">Gets the ids at its end.</param>
    /// <param name="text">Any text.</param>
    /// <param name="parseSpecialTokens">As in <see cref="Encode"/>.</param>
    public void EncodeTo(List<int> ids, string text, bool parseSpecialTokens = false)
    {
        text = WellFormed(text);
        if (!_rawTokens.CanFind(parseSpecialTokens))
        {
            EncodeStretch(ids, text, startsText: true, parseSpecialTokens);
            return;
        }
        var parts = new List<(int Start, int End, AddedToken? Token)>();
        _rawTokens.Split(text, parseSpecialTokens, [], parts);
        foreach (var (start, end, token) in parts)
        {
            if (token is not null) ids.Add(token.Id);
            else EncodeStretch(ids, parts.Count == 1 ? text : text[start..end], start == 0, parseSpecialTokens);
        }
    }

    /// <summary>Encodes a text that goes on from other text, as a model would write it: without the space that some models put before every text.</summary>
    /// <param name="prompt">What stands before, plain text.</param>
    /// <param name="promptIds">Its ids, as <see cref="Encode"/> gives them without special tokens.</param>
    /// <param name="text">What goes on, plain text.</param>
    /// <returns>Ids of <paramref name="text"/> alone, fresh: those that the two texts have as one, where the border between them is one of tokens.</returns>
    public IReadOnlyList<int> EncodeContinuation(string prompt, IReadOnlyList<int> promptIds, string text)
    {
        var whole = Encode(prompt + text);
        if (whole.Take(promptIds.Count).SequenceEqual(promptIds)) return [.. whole.Skip(promptIds.Count)];
        if (LeadingCount == 0 && _file.Decoder.MarkLeftOutOfFirst is null) return Encode(text);
        // Behind a line break, which no token joins to other text in such vocabularies.
        var lineBreak = Encode("\n");
        var behind = Encode("\n" + text);
        return behind.Take(lineBreak.Count).SequenceEqual(lineBreak) ? [.. behind.Skip(lineBreak.Count)] : Encode(text);
    }

    /// <summary>Decodes ids to text.</summary>
    /// <param name="ids">Ids of this vocabulary.</param>
    /// <param name="skipSpecialTokens">Leave special tokens out.</param>
    /// <returns>The text; bytes that are no UTF-8 come out as U+FFFD.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true)
    {
        var decoder = CreateDecoder(skipSpecialTokens);
        var text = new StringBuilder();
        foreach (var id in ids) text.Append(decoder.Push(id));
        return text.Append(decoder.Flush()).ToString();
    }

    /// <summary>Makes a decoder that takes one token at a time.</summary>
    /// <param name="skipSpecialTokens">Leave special tokens out.</param>
    /// <param name="continuesText">
    /// The tokens go on from other text, so that a first token's leading space stays. (SentencePiece-style models put a space
    /// before every text, which decoding removes again.)
    /// </param>
    public TokenDecoder CreateDecoder(bool skipSpecialTokens = true, bool continuesText = false) => new(this, skipSpecialTokens, continuesText);

    /// <summary>What one token adds to a text; U+FFFD where it holds only a part of a character.</summary>
    /// <param name="id">The token.</param>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string TokenText(int id) => Encoding.UTF8.GetString(TokenBytes(id));

    /// <summary>The bytes that one token adds to a text; none for an id that the vocabulary leaves out.</summary>
    /// <param name="id">The token.</param>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public ReadOnlySpan<byte> TokenBytes(int id) => _bytes[Checked(id)];

    /// <summary>Whether a token steers the model instead of being text.</summary>
    /// <param name="id">The token.</param>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public bool IsSpecial(int id) => _isSpecial[Checked(id)];

    /// <summary>The vocabulary's own spelling of a token (<c>Ġhello</c>, <c>&lt;0x0A&gt;</c>); empty for an id that it leaves out.</summary>
    /// <param name="id">The token.</param>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no such id.</exception>
    public string Entry(int id) => _entries[Checked(id)] ?? "";

    /// <summary>The id of a token by the vocabulary's spelling, added tokens first.</summary>
    /// <param name="entry">The spelling.</param>
    /// <returns>The id, or null.</returns>
    public int? Find(string? entry)
    {
        if (entry is null) return null;
        if (_addedIds.TryGetValue(entry, out var added)) return added;
        return _file.Vocabulary.Find(entry) is var id and >= 0 ? id : null;
    }

    /// <summary>Cuts a text at the tokens that are found in its raw form; control tokens only where no character is plain.</summary>
    internal List<(int Start, int End, AddedToken? Token)> Cut(string text, ReadOnlySpan<bool> isPlain)
    {
        var parts = new List<(int Start, int End, AddedToken? Token)>();
        _rawTokens.Split(text, parseControl: true, isPlain, parts);
        return parts;
    }

    /// <summary>How many bytes the tokens of a stretch's beginning add up to: what normalizing and splitting make of it, decoded.</summary>
    internal int DecodedByteCount(string beginning, bool startsText)
    {
        if (beginning.Length == 0) return 0;
        var text = Normalize(beginning);
        if (_file.PreTokenizer is { } preTokenizer)
        {
            var pieces = new PieceList(text, startsText);
            preTokenizer.Apply(pieces);
            text = pieces.Text;
            if (preTokenizer.IsByteLevel && _file.Decoder.IsByteLevel) return Encoding.UTF8.GetByteCount(text);
            if (preTokenizer.IsByteLevel) text = ByteAlphabet.Write(text);
        }
        return _file.Decoder.BytesOf(text).Length;
    }

    private int Checked(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, VocabularySize);
        return id;
    }

    /// <summary>
    /// What the decoder is given for a token: its entry, but what an added token was looked for as where that is normalized. A space that it took from the text
    /// (Llama's normalizer writes one before it) comes back with it; tokenizers 0.23 does so too.
    /// </summary>
    private string Written(int id) => _normalizedContents.TryGetValue(id, out var text) ? text : Entry(id);

    private string Normalize(string text) => _file.Normalizer?.Apply(text) ?? text;

    /// <summary>Appends the ids of a stretch between added tokens.</summary>
    internal void EncodeStretch(List<int> ids, string text, bool startsText, bool parseSpecialTokens)
    {
        text = Normalize(text);
        if (_normalizedTokens is null || !_normalizedTokens.CanFind(parseSpecialTokens))
        {
            EncodePlain(ids, text, startsText);
            return;
        }
        var parts = new List<(int Start, int End, AddedToken? Token)>();
        _normalizedTokens.Split(text, parseSpecialTokens, [], parts);
        foreach (var (start, end, token) in parts)
        {
            if (token is not null) ids.Add(token.Id);
            else EncodePlain(ids, parts.Count == 1 ? text : text[start..end], startsText && start == 0);
        }
    }

    private void EncodePlain(List<int> ids, string text, bool startsText)
    {
        if (text.Length == 0) return;
        var cache = _caches.Rent();
        if (_file.PreTokenizer is null) _file.Model.Encode(text, ids, cache);
        else if (_splitPattern is not null) EncodeAtMatches(_splitPattern, ids, text, cache);
        else EncodePieces(_file.PreTokenizer, ids, text, startsText, cache);
        // Not in a finally: after an error the cache may hold half an entry.
        _caches.Return(cache);
    }

    /// <summary>The way of nearly all byte-level models: pieces go to the model as they are found.</summary>
    private void EncodeAtMatches(TextPattern pattern, List<int> ids, ReadOnlySpan<char> text, PieceCache cache)
    {
        var done = 0;
        while (pattern.Find(text, done, out var start, out var end))
        {
            if (start > done) _file.Model.Encode(text[done..start], ids, cache);
            if (end > start) _file.Model.Encode(text[start..end], ids, cache);
            done = end;
        }
        if (done < text.Length) _file.Model.Encode(text[done..], ids, cache);
    }

    private void EncodePieces(PreTokenizer preTokenizer, List<int> ids, string text, bool startsText, PieceCache cache)
    {
        var pieces = new PieceList(text, startsText);
        preTokenizer.Apply(pieces);
        foreach (var (start, length) in pieces.Pieces) _file.Model.Encode(pieces.Text.AsSpan(start, length), ids, cache);
    }

    private string? FirstKnown(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (_addedIds.ContainsKey(name)) return name;
        }
        return null;
    }

    private string? Known(string? name) => Find(name) is null ? null : name;

    /// <summary>Without a tokenizer.json, add_bos_token and add_eos_token say what belongs around a text; beside one they say nothing that it does not.</summary>
    private PostProcessor AroundText(TokenizerSettings settings) => new(
        settings.AddBosToken == true && BosTokenId is { } bos ? [bos] : [],
        settings.AddEosToken == true && EosTokenId is { } eos ? [eos] : []);

    /// <summary>The text with U+FFFD in the place of surrogates that stand alone.</summary>
    internal static string WellFormed(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0 || !HasLoneSurrogate(text)) return text;
        var repaired = new StringBuilder(text.Length);
        Span<char> utf16 = stackalloc char[2];
        // Enumerating runes gives U+FFFD for each surrogate that stands alone.
        foreach (var rune in text.EnumerateRunes()) repaired.Append(utf16[..rune.EncodeToUtf16(utf16)]);
        return repaired.ToString();
    }

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return true;
            i++;
        }
        return false;
    }
}
