using System.Text.Json;
using System.Text.RegularExpressions;
using LangTrain.Modeling.ChatTemplates;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Modeling;

/// <summary>Writes what tokenizer.json says as llama.cpp's tokenizer metadata: byte-level BPE as <c>gpt2</c>, SentencePiece-like BPE as <c>llama</c>.</summary>
internal static class GgufTokenizer
{
    private const int Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6;

    /// <exception cref="FileNotFoundException">The folder has no tokenizer.</exception>
    /// <exception cref="InvalidDataException">It is damaged, or has more tokens than the model.</exception>
    /// <exception cref="UnsupportedModelException">llama.cpp has no such tokenizer.</exception>
    public static void Describe(string folder, ModelConfig config, GgufFile file)
    {
        Tokenizer tokenizer = Tokenizer.Load(folder);
        using JsonDocument json = JsonDocument.Parse(TokenizerFolder.WholeJson(folder, tokenizer));
        JsonElement root = json.RootElement, model = root.GetProperty("model");
        if (model.TryGetProperty("type", out JsonElement kind) && kind.GetString() != "BPE")
        {
            throw new UnsupportedModelException(null, $"Tokenizers of type {kind} cannot be exported as GGUF; only BPE can.");
        }

        bool isByteLevel = Text(root, "pre_tokenizer").Contains("\"ByteLevel\"", StringComparison.Ordinal);
        RefuseNormalizer(root, isByteLevel);
        if (Text(root, "decoder") is "" or "null")
        {
            throw new UnsupportedModelException(null, "This tokenizer cannot be exported as GGUF: it has no decoder, and so writes its entries with spaces between them; llama.cpp never does.");
        }

        (string[] tokens, int[] types) = Tokens(tokenizer, model, config, isByteLevel);
        string[] merges = [.. model.GetProperty("merges").EnumerateArray().Select(pair => pair.ValueKind == JsonValueKind.Array ? $"{pair[0].GetString()} {pair[1].GetString()}" : pair.GetString()!)];
        file.Add("tokenizer.ggml.model", isByteLevel ? "gpt2" : "llama");
        if (isByteLevel)
        {
            file.Add("tokenizer.ggml.pre", GgufPreTokenizer.Name(root, model));
            file.Add("tokenizer.ggml.tokens", tokens);
            file.Add("tokenizer.ggml.token_type", types);
            file.Add("tokenizer.ggml.merges", merges);
        }
        else
        {
            RefuseSplitting(root, types);
            file.Add("tokenizer.ggml.pre", "default");
            file.Add("tokenizer.ggml.tokens", tokens);
            file.Add("tokenizer.ggml.scores", Scores(tokens, merges));
            file.Add("tokenizer.ggml.token_type", types);
            file.Add("tokenizer.ggml.add_space_prefix", AddsSpace(root));
            if (Array.IndexOf(types, Unknown) is >= 0 and int unknown)
            {
                file.Add("tokenizer.ggml.unknown_token_id", (uint)unknown);
            }
        }

        AddSpecial(folder, tokenizer, config, tokens, file);
    }

    /// <summary>llama.cpp puts marks in the place of spaces and nothing else; NFC, which it leaves out for Qwen, changes only text that is not composed.</summary>
    private static void RefuseNormalizer(JsonElement root, bool isByteLevel)
    {
        string normalizer = Text(root, "normalizer");
        string[] known = isByteLevel ? ["Sequence", "NFC"] : ["Sequence", "Prepend", "Replace"];
        foreach (System.Text.RegularExpressions.Match type in System.Text.RegularExpressions.Regex.Matches(normalizer, "\"type\"\\s*:\\s*\"(\\w+)\""))
        {
            if (!known.Contains(type.Groups[1].Value))
            {
                throw new UnsupportedModelException(null, $"This tokenizer cannot be exported as GGUF: llama.cpp has no normalizer {type.Groups[1].Value}.");
            }
        }
    }

    /// <summary>llama.cpp cuts such text nowhere, and falls back to bytes for what the vocabulary lacks.</summary>
    private static void RefuseSplitting(JsonElement root, int[] types)
    {
        string section = Text(root, "pre_tokenizer");
        // A split at spaces, as Gemma has it, finds none: they are marks by then.
        bool splitsAtSpaces = Regex.IsMatch(section, "\"String\"\\s*:\\s*\" \"");
        foreach (Match match in Regex.Matches(section, "\"type\"\\s*:\\s*\"(\\w+)\""))
        {
            string type = match.Groups[1].Value;
            if (type is not ("Sequence" or "Metaspace") && !(type == "Split" && splitsAtSpaces))
            {
                throw new UnsupportedModelException(null, $"This tokenizer cannot be exported as GGUF: llama.cpp has no {type} for tokenizers of this kind.");
            }
        }

        if (types.Count(type => type == Byte) != 256)
        {
            throw new UnsupportedModelException(null, "This tokenizer cannot be exported as GGUF: llama.cpp needs a token for each of the 256 bytes in tokenizers of this kind.");
        }
    }

    private static (string[] Tokens, int[] Types) Tokens(Tokenizer tokenizer, JsonElement model, ModelConfig config, bool isByteLevel)
    {
        string[] tokens = [.. Enumerable.Range(0, config.VocabularySize).Select(id => $"[PAD{id}]")];
        int[] types = [.. Enumerable.Repeat(Unused, tokens.Length)];
        string? unknown = model.TryGetProperty("unk_token", out JsonElement name) ? name.ValueKind == JsonValueKind.String ? name.GetString() : null : null;
        void Set(int id, string text, int type)
        {
            if (id < 0 || id >= tokens.Length)
            {
                throw new InvalidDataException($"tokenizer.json gives '{text}' the id {id}; the model has {tokens.Length} tokens.");
            }

            (tokens[id], types[id]) = (text, type);
        }

        foreach (JsonProperty entry in model.GetProperty("vocab").EnumerateObject())
        {
            bool isByte = !isByteLevel && entry.Name.Length == 6 && entry.Name.StartsWith("<0x", StringComparison.Ordinal);
            Set(entry.Value.GetInt32(), entry.Name, isByte ? Byte : entry.Name == unknown ? Unknown : Normal);
        }

        // A token that the model has no row for cannot be in its file; text never becomes it there.
        foreach (AddedToken added in tokenizer.AddedTokens.Where(token => token.Id < tokens.Length))
        {
            Set(added.Id, added.Content, added.Content == unknown ? Unknown : added.IsSpecial ? Control : UserDefined);
        }

        return (tokens, types);
    }

    /// <summary>SentencePiece merges the pair with the best score, BPE the pair with the lowest rank: the rank of the merge that makes a piece is its score.</summary>
    private static float[] Scores(string[] tokens, string[] merges)
    {
        Dictionary<string, int> ranks = [];
        for (int rank = 0; rank < merges.Length; rank++)
        {
            int space = merges[rank].IndexOf(' ', 1);
            ranks.TryAdd(merges[rank][..space] + merges[rank][(space + 1)..], rank);
        }

        return [.. tokens.Select(token => ranks.TryGetValue(token, out int rank) ? -(float)rank : -(float)merges.Length)];
    }

    /// <summary>llama.cpp puts one token before and one behind a text, or none.</summary>
    private static void AddSpecial(string folder, Tokenizer tokenizer, ModelConfig config, string[] tokens, GgufFile file)
    {
        IReadOnlyList<int> before = tokenizer.IdsBefore, behind = tokenizer.IdsBehind;
        if (before.Count > 1 || behind.Count > 1)
        {
            throw new UnsupportedModelException(null, $"This tokenizer puts {before.Count} tokens before a text and {behind.Count} behind it; llama.cpp can put one.");
        }

        // What tokenizer_config.json names is what the template writes for bos_token and eos_token; without any id llama.cpp takes those of GPT-2's vocabulary.
        TokenizerSettings settings = TokenizerSettings.Read(folder);
        int? bos = before.Count > 0 ? before[0] : (settings.BosToken is null ? null : tokenizer.BosTokenId) ?? config.BosTokenId ?? tokenizer.BosTokenId;
        int? eos = behind.Count > 0 ? behind[0] : (settings.EosToken is null ? null : tokenizer.EosTokenId) ?? (config.EosTokenIds.Count > 0 ? config.EosTokenIds[0] : tokenizer.EosTokenId);
        if (bos is { } first && first < tokens.Length)
        {
            file.Add("tokenizer.ggml.bos_token_id", (uint)first);
        }

        file.Add("tokenizer.ggml.add_bos_token", before.Count > 0);
        if (eos is { } last && last < tokens.Length)
        {
            file.Add("tokenizer.ggml.eos_token_id", (uint)last);
        }

        if (eos is { } end && config.EosTokenIds.Count > 0 && !config.EosTokenIds.Contains(end) && config.EosTokenIds[0] < tokens.Length)
        {
            file.Add("tokenizer.ggml.eot_token_id", (uint)config.EosTokenIds[0]);
        }

        file.Add("tokenizer.ggml.add_eos_token", behind.Count > 0);
        if (config.PadTokenId is { } pad && pad < tokens.Length)
        {
            file.Add("tokenizer.ggml.padding_token_id", (uint)pad);
        }

        if (ChatTemplateSource.Read(folder) is { } template)
        {
            file.Add("tokenizer.chat_template", template.Default);
        }
    }

    private static bool AddsSpace(JsonElement root) =>
        Text(root, "normalizer").Contains("\"Prepend\"", StringComparison.Ordinal)
        || (Text(root, "pre_tokenizer") is var pre && pre.Contains("\"Metaspace\"", StringComparison.Ordinal) && !pre.Contains("\"never\"", StringComparison.Ordinal));

    private static string Text(JsonElement root, string key) => root.TryGetProperty(key, out JsonElement value) ? value.GetRawText() : "";
}
