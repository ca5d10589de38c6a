using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LangTrain.Modeling.Tokenizers.BytePair;
using LangTrain.Modeling.Tokenizers.Patterns;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>Learns a byte-level BPE vocabulary from texts and writes it as <c>tokenizer.json</c>; the same texts give the same bytes everywhere.</summary>
/// <remarks>arXiv:1508.07909, on UTF-8 bytes, so that no text is outside the vocabulary. One instance learns one vocabulary; not for several threads.</remarks>
public sealed class BpeTrainer
{
    /// <summary>Words with the space before them, up to three digits, runs of punctuation, line breaks.</summary>
    public const string DefaultPattern = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private readonly string _pattern;
    private readonly TextPattern _compiled;
    private readonly Dictionary<string, long> _pieceCounts = [];

    /// <summary>Makes a trainer.</summary>
    /// <param name="pattern">How text is cut into pieces, over which no token reaches; <see cref="DefaultPattern"/> when null.</param>
    /// <exception cref="FormatException">The pattern is not understood.</exception>
    public BpeTrainer(string? pattern = null)
    {
        _pattern = pattern ?? DefaultPattern;
        _compiled = TextPattern.Compile(_pattern);
    }

    /// <summary>Counts the pieces of a text. Memory grows with the different pieces, not with the texts.</summary>
    /// <param name="text">Any text, without special tokens.</param>
    public void Add(string text)
    {
        var lookup = _pieceCounts.GetAlternateLookup<ReadOnlySpan<char>>();
        var done = 0;
        while (_compiled.Find(text, done, out var start, out var end))
        {
            // What the pattern leaves out is a piece as well, as the tokenizer will see it.
            if (start > done) Count(lookup, text.AsSpan(done, start - done));
            Count(lookup, text.AsSpan(start, end - start));
            done = end;
        }
        if (done < text.Length) Count(lookup, text.AsSpan(done));
    }

    /// <summary>Learns the merges and writes the tokenizer.</summary>
    /// <param name="vocabularySize">Entries in all: special tokens, 256 bytes, and merges for the rest.</param>
    /// <param name="specialTokens">They get the first ids, in this order.</param>
    /// <param name="beginOfText">One of the special tokens that is put before a text when special tokens are asked for; null for none.</param>
    /// <returns>UTF-8 JSON in Hugging Face's layout.</returns>
    /// <exception cref="ArgumentException">The size is too small, or <paramref name="beginOfText"/> is not special.</exception>
    public byte[] Train(int vocabularySize, IReadOnlyList<string> specialTokens, string? beginOfText = null)
    {
        if (vocabularySize < specialTokens.Count + 256) throw new ArgumentException("The vocabulary has to hold the special tokens and 256 bytes.", nameof(vocabularySize));
        if (beginOfText is not null && !specialTokens.Contains(beginOfText)) throw new ArgumentException($"'{beginOfText}' is none of the special tokens.", nameof(beginOfText));
        var learner = new MergeLearner(_pieceCounts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (Encoding.UTF8.GetBytes(pair.Key), pair.Value)));
        var merges = learner.Learn(vocabularySize - specialTokens.Count - 256);
        return Write(specialTokens, beginOfText, merges);
    }

    private static void Count(Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> counts, ReadOnlySpan<char> piece)
    {
        counts.TryGetValue(piece, out var count);
        counts[piece] = count + 1;
    }

    private byte[] Write(IReadOnlyList<string> specialTokens, string? beginOfText, IReadOnlyList<(string Left, string Right)> merges)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            json.WriteStartArray("added_tokens");
            for (var id = 0; id < specialTokens.Count; id++) WriteAddedToken(json, id, specialTokens[id]);
            json.WriteEndArray();
            json.WriteNull("normalizer");
            WritePreTokenizer(json);
            WritePostProcessor(json, specialTokens, beginOfText);
            json.WriteStartObject("decoder");
            WriteByteLevel(json, useRegex: true);
            json.WriteEndObject();
            WriteModel(json, specialTokens, merges);
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    private static void WriteAddedToken(Utf8JsonWriter json, int id, string content)
    {
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteString("content", content);
        foreach (var key in (ReadOnlySpan<string>)["single_word", "lstrip", "rstrip", "normalized"]) json.WriteBoolean(key, false);
        json.WriteBoolean("special", true);
        json.WriteEndObject();
    }

    private void WritePreTokenizer(Utf8JsonWriter json)
    {
        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        json.WriteStartObject();
        json.WriteString("type", "Split");
        json.WriteStartObject("pattern");
        json.WriteString("Regex", _pattern);
        json.WriteEndObject();
        json.WriteString("behavior", "Isolated");
        json.WriteBoolean("invert", false);
        json.WriteEndObject();
        json.WriteStartObject();
        WriteByteLevel(json, useRegex: false);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, bool useRegex)
    {
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", useRegex);
    }

    private static void WritePostProcessor(Utf8JsonWriter json, IReadOnlyList<string> specialTokens, string? beginOfText)
    {
        if (beginOfText is null)
        {
            json.WriteNull("post_processor");
            return;
        }
        var id = specialTokens.ToList().IndexOf(beginOfText);
        json.WriteStartObject("post_processor");
        json.WriteString("type", "TemplateProcessing");
        foreach (var (name, sequences) in (ReadOnlySpan<(string, string[])>)[("single", ["A"]), ("pair", ["A", "B"])])
        {
            json.WriteStartArray(name);
            for (var i = 0; i < sequences.Length; i++)
            {
                WritePiece(json, "SpecialToken", beginOfText, i);
                WritePiece(json, "Sequence", sequences[i], i);
            }
            json.WriteEndArray();
        }
        json.WriteStartObject("special_tokens");
        json.WriteStartObject(beginOfText);
        json.WriteString("id", beginOfText);
        json.WriteStartArray("ids");
        json.WriteNumberValue(id);
        json.WriteEndArray();
        json.WriteStartArray("tokens");
        json.WriteStringValue(beginOfText);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WritePiece(Utf8JsonWriter json, string kind, string id, int type)
    {
        json.WriteStartObject();
        json.WriteStartObject(kind);
        json.WriteString("id", id);
        json.WriteNumber("type_id", type);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, IReadOnlyList<string> specialTokens, IReadOnlyList<(string Left, string Right)> merges)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        foreach (var key in (ReadOnlySpan<string>)["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"]) json.WriteNull(key);
        foreach (var key in (ReadOnlySpan<string>)["fuse_unk", "byte_fallback", "ignore_merges"]) json.WriteBoolean(key, false);
        json.WriteStartObject("vocab");
        var id = 0;
        foreach (var token in specialTokens) json.WriteNumber(token, id++);
        for (var b = 0; b < 256; b++) json.WriteNumber(ByteAlphabet.CharOf((byte)b).ToString(), id++);
        foreach (var entry in merges.Select(merge => merge.Left + merge.Right).Distinct()) json.WriteNumber(entry, id++);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right) in merges) json.WriteStringValue($"{left} {right}");
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
