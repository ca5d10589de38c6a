using System.Text.Json;
using LangTrain.Modeling.Tokenizers.BytePair;
using LangTrain.Modeling.Tokenizers.Normalization;
using LangTrain.Modeling.Tokenizers.PreTokenization;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>The parts of a tokenizer.json, each built and checked.</summary>
internal sealed record TokenizerFile(
    Normalizer? Normalizer,
    PreTokenizer? PreTokenizer,
    BytePairVocabulary Vocabulary,
    BytePairModel Model,
    IReadOnlyList<AddedToken> AddedTokens,
    PostProcessor PostProcessor,
    TokenBytesReader Decoder,
    string? PadToken)
{
    // Far beyond any vocabulary, and small enough for the tables by id: a file of a few bytes must not take the machine's memory.
    private const int IdLimit = 1 << 24;

    /// <exception cref="UnsupportedTokenizerException">A section or a key is not understood.</exception>
    /// <exception cref="InvalidDataException">It is not JSON.</exception>
    public static TokenizerFile Parse(ReadOnlyMemory<byte> json)
    {
        using var document = ModelJson.Parse(json, "tokenizer.json");
        var root = new JsonSection(document.RootElement, "tokenizer.json");
        JsonElement Section(string key) => root.Json.TryGetProperty(key, out var section) ? section : default;
        // truncation and padding are wishes of a batch, not part of what a text's tokens are; they only say what fills one.
        root.Allow("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        var preTokenizer = PreTokenizer.FromJson(Section("pre_tokenizer"), "pre_tokenizer");
        var (vocabulary, model) = ReadModel(new JsonSection(Section("model"), "model"), preTokenizer?.IsByteLevel ?? false);
        return new TokenizerFile(
            Normalizer.FromJson(Section("normalizer"), "normalizer"),
            preTokenizer,
            vocabulary,
            model,
            Section("added_tokens").ValueKind == JsonValueKind.Array ? [.. root.Items("added_tokens").Select(item => ReadAddedToken(new JsonSection(item.Json, item.Path)))] : [],
            PostProcessor.FromJson(Section("post_processor"), "post_processor"),
            TokenBytesReader.FromJson(Section("decoder"), "decoder"),
            Section("padding").ValueKind == JsonValueKind.Object ? new JsonSection(Section("padding"), "padding").OptionalString("pad_token") : null);
    }

    private static AddedToken ReadAddedToken(JsonSection section)
    {
        section.Allow("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
        return new AddedToken(
            section.Int("id") is >= 0 and < IdLimit and var id ? id : throw new UnsupportedTokenizerException($"{section.Path}.id", "expected a token id"),
            section.String("content"),
            section.Bool("special", false),
            section.Bool("normalized", false),
            section.Bool("single_word", false),
            section.Bool("lstrip", false),
            section.Bool("rstrip", false));
    }

    private static (BytePairVocabulary Vocabulary, BytePairModel Model) ReadModel(JsonSection section, bool byteLevel)
    {
        // Old files have no type; what has merges is BPE.
        if ((section.OptionalString("type") ?? "BPE") != "BPE") throw section.UnknownType("BPE");
        section.Allow("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges");
        foreach (var key in (ReadOnlySpan<string>)["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (!string.IsNullOrEmpty(section.OptionalString(key))) throw new UnsupportedTokenizerException($"model.{key}", "only null or an empty text is understood");
        }
        if (section.Json.TryGetProperty("dropout", out var dropout) && dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() != 0)
        {
            throw new UnsupportedTokenizerException("model.dropout", "encoding by chance is not understood");
        }
        var ids = new Dictionary<string, int>();
        foreach (var entry in section.Object("vocab").Json.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out var id) || id is < 0 or >= IdLimit) throw new UnsupportedTokenizerException($"model.vocab.{entry.Name}", "expected a token id");
            ids[entry.Name] = id;
        }
        var vocabulary = new BytePairVocabulary(ids);
        var merges = section.Items("merges").Select(item => ReadMerge(item.Json, item.Path, vocabulary)).ToList();
        var options = new BytePairOptions(
            byteLevel,
            section.Bool("byte_fallback", false),
            section.Bool("ignore_merges", false),
            section.OptionalString("unk_token"),
            section.Bool("fuse_unk", false));
        return (vocabulary, new BytePairModel(vocabulary, merges, options));
    }

    private static (int Left, int Right, int Merged) ReadMerge(JsonElement json, string path, BytePairVocabulary vocabulary)
    {
        string left, right;
        if (json.ValueKind == JsonValueKind.Array && json.GetArrayLength() == 2)
        {
            (left, right) = (TextOf(json[0], path), TextOf(json[1], path));
        }
        else if (json.ValueKind == JsonValueKind.String && json.GetString()!.Split(' ') is [var first, var second])
        {
            (left, right) = (first, second);
        }
        else
        {
            throw new UnsupportedTokenizerException(path, "expected a pair of entries");
        }
        var merge = (Left: vocabulary.Find(left), Right: vocabulary.Find(right), Merged: vocabulary.Find(left + right));
        return merge.Left >= 0 && merge.Right >= 0 && merge.Merged >= 0 ? merge : throw new UnsupportedTokenizerException(path, $"'{left}' + '{right}' is not in the vocabulary");
    }

    private static string TextOf(JsonElement json, string path) => json.ValueKind == JsonValueKind.String ? json.GetString()! : throw new UnsupportedTokenizerException(path, "expected a pair of entries");
}
