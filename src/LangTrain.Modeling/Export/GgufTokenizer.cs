using System.Text.Json;

namespace LangTrain.Modeling;

/// <summary>Writes what tokenizer.json says as llama.cpp's tokenizer metadata: byte-level BPE as <c>gpt2</c>, SentencePiece-like BPE as <c>llama</c>.</summary>
internal static class GgufTokenizer
{
    private const int Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6;

    /// <exception cref="FileNotFoundException">There is no tokenizer.json.</exception>
    /// <exception cref="InvalidDataException">It is damaged, or has more tokens than the model.</exception>
    /// <exception cref="UnsupportedModelException">llama.cpp has no such tokenizer.</exception>
    public static void Describe(string folder, ModelConfig config, GgufFile file)
    {
        string path = Path.Combine(folder, "tokenizer.json");
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"'{folder}' has no tokenizer.json.", path);
        }

        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path));
        JsonElement root = json.RootElement, model = root.GetProperty("model");
        if (model.GetProperty("type").GetString() != "BPE")
        {
            throw new UnsupportedModelException(null, $"Tokenizers of type {model.GetProperty("type")} cannot be exported as GGUF; only BPE can.");
        }

        bool isByteLevel = Text(root, "pre_tokenizer").Contains("\"ByteLevel\"", StringComparison.Ordinal);
        (string[] tokens, int[] types) = Tokens(root, model, config, isByteLevel);
        string[] merges = [.. model.GetProperty("merges").EnumerateArray().Select(pair => pair.ValueKind == JsonValueKind.Array ? $"{pair[0].GetString()} {pair[1].GetString()}" : pair.GetString()!)];
        file.Add("tokenizer.ggml.model", isByteLevel ? "gpt2" : "llama");
        if (isByteLevel)
        {
            file.Add("tokenizer.ggml.pre", PreTokenizer(Text(root, "pre_tokenizer")));
            file.Add("tokenizer.ggml.tokens", tokens);
            file.Add("tokenizer.ggml.token_type", types);
            file.Add("tokenizer.ggml.merges", merges);
        }
        else
        {
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

        AddSpecial(folder, root, config, tokens, file);
    }

    private static (string[] Tokens, int[] Types) Tokens(JsonElement root, JsonElement model, ModelConfig config, bool isByteLevel)
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

        foreach (JsonElement added in root.TryGetProperty("added_tokens", out JsonElement all) && all.ValueKind == JsonValueKind.Array ? all.EnumerateArray().ToArray() : [])
        {
            string text = added.GetProperty("content").GetString()!;
            Set(added.GetProperty("id").GetInt32(), text, text == unknown ? Unknown : added.GetProperty("special").GetBoolean() ? Control : UserDefined);
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

    private static void AddSpecial(string folder, JsonElement root, ModelConfig config, string[] tokens, GgufFile file)
    {
        if (config.BosTokenId is { } bos && bos < tokens.Length)
        {
            file.Add("tokenizer.ggml.bos_token_id", (uint)bos);
            string processor = Text(root, "post_processor");
            file.Add("tokenizer.ggml.add_bos_token", processor.Contains(JsonSerializer.Serialize(tokens[bos]), StringComparison.Ordinal) || processor.Contains($"\"{tokens[bos]}\"", StringComparison.Ordinal));
        }
        else
        {
            file.Add("tokenizer.ggml.add_bos_token", false);
        }

        if (config.EosTokenIds.Count > 0)
        {
            file.Add("tokenizer.ggml.eos_token_id", (uint)config.EosTokenIds[0]);
        }

        file.Add("tokenizer.ggml.add_eos_token", false);
        if (config.PadTokenId is { } pad && pad < tokens.Length)
        {
            file.Add("tokenizer.ggml.padding_token_id", (uint)pad);
        }

        if (ChatTemplate(folder) is { } template)
        {
            file.Add("tokenizer.chat_template", template);
        }
    }

    private static string? ChatTemplate(string folder)
    {
        string own = Path.Combine(folder, "chat_template.jinja"), settings = Path.Combine(folder, "tokenizer_config.json");
        if (File.Exists(own))
        {
            return File.ReadAllText(own);
        }

        if (!File.Exists(settings))
        {
            return null;
        }

        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(settings));
        return json.RootElement.TryGetProperty("chat_template", out JsonElement template) && template.ValueKind == JsonValueKind.String ? template.GetString() : null;
    }

    private static bool AddsSpace(JsonElement root) =>
        Text(root, "normalizer").Contains("\"Prepend\"", StringComparison.Ordinal)
        || (Text(root, "pre_tokenizer") is var pre && pre.Contains("\"Metaspace\"", StringComparison.Ordinal) && !pre.Contains("\"never\"", StringComparison.Ordinal));

    /// <summary>llama.cpp knows splitting patterns by name only.</summary>
    private static string PreTokenizer(string json) => (json.Contains(@"\\p{N}{1,3}", StringComparison.Ordinal), json.Contains("(?i:", StringComparison.Ordinal), json.Contains("\"Split\"", StringComparison.Ordinal)) switch
    {
        (true, true, true) => "llama-bpe",
        (false, true, true) => "qwen2",
        (false, false, false) => "gpt-2",
        _ => throw new UnsupportedModelException(null, "This tokenizer's splitting pattern has no name in llama.cpp that is known here; Llama 3's, Qwen's and GPT-2's have."),
    };

    private static string Text(JsonElement root, string key) => root.TryGetProperty(key, out JsonElement value) ? value.GetRawText() : "";
}
