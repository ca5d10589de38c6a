using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LangTrain.Modeling.Tokenizers.SentencePiece;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>The tokenizer.json of a model's folder, or what stands for it there: tokenizer.model, or vocab.json with merges.txt.</summary>
internal static class TokenizerFolder
{
    private const string QwenPattern = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly JavaScriptEncoder s_readable = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <summary>Reads whichever is there.</summary>
    /// <returns>UTF-8 JSON, and whether it was made from other files: then what belongs around a text is in the settings alone.</returns>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="UnsupportedTokenizerException">The files do not say how text is split, or in a way that is not understood.</exception>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public static (byte[] Json, bool IsBuilt) ReadJson(string folder, TokenizerSettings settings)
    {
        string File(string name) => Path.Combine(folder, name);
        if (System.IO.File.Exists(File("tokenizer.json"))) return (WithPrefixSpace(System.IO.File.ReadAllBytes(File("tokenizer.json")), settings), false);
        if (System.IO.File.Exists(File("tokenizer.model"))) return (SentencePieceModel.ToTokenizerJson(System.IO.File.ReadAllBytes(File("tokenizer.model"))), true);
        if (!System.IO.File.Exists(File("vocab.json")) || !System.IO.File.Exists(File("merges.txt")))
        {
            throw new FileNotFoundException("There is no tokenizer.json, no tokenizer.model, and no vocab.json with merges.txt.", File("tokenizer.json"));
        }
        return (FromVocabulary(File("vocab.json"), File("merges.txt"), settings), true);
    }

    /// <summary>A tokenizer.json that needs no file beside it: with the tokens that others name, and with what belongs around a text.</summary>
    public static byte[] WholeJson(string folder, Tokenizer tokenizer)
    {
        var (json, isBuilt) = ReadJson(folder, TokenizerSettings.Read(folder));
        if (!isBuilt) return json;
        var root = JsonNode.Parse(json)!.AsObject();
        root["added_tokens"] = new JsonArray([.. tokenizer.AddedTokens.OrderBy(token => token.Id).Select(token => new JsonObject
        {
            ["id"] = token.Id, ["content"] = token.Content, ["single_word"] = token.SingleWord, ["lstrip"] = token.StripLeft, ["rstrip"] = token.StripRight, ["normalized"] = token.Normalized, ["special"] = token.IsSpecial,
        })]);
        root["post_processor"] = Around(tokenizer);
        return System.Text.Encoding.UTF8.GetBytes(root.ToJsonString(new JsonSerializerOptions { Encoder = s_readable }));
    }

    private static JsonObject Around(Tokenizer tokenizer)
    {
        JsonObject Special(int id) => new() { ["SpecialToken"] = new JsonObject { ["id"] = tokenizer.Entry(id), ["type_id"] = 0 } };
        JsonObject Sequence(string id) => new() { ["Sequence"] = new JsonObject { ["id"] = id, ["type_id"] = 0 } };
        var special = new JsonObject();
        foreach (var id in tokenizer.IdsBefore.Concat(tokenizer.IdsBehind)) special[tokenizer.Entry(id)] = new JsonObject { ["id"] = tokenizer.Entry(id), ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(tokenizer.Entry(id)) };
        return new JsonObject
        {
            ["type"] = "TemplateProcessing",
            ["single"] = new JsonArray([.. tokenizer.IdsBefore.Select(Special), Sequence("A"), .. tokenizer.IdsBehind.Select(Special)]),
            ["pair"] = new JsonArray(Sequence("A"), Sequence("B")),
            ["special_tokens"] = special,
        };
    }

    /// <summary>The classes of GPT-2 and Qwen put a space before a text as tokenizer_config.json says, whatever tokenizer.json has.</summary>
    private static byte[] WithPrefixSpace(byte[] json, TokenizerSettings settings)
    {
        if (settings is not { TokenizerClass: "GPT2Tokenizer" or "Qwen2Tokenizer", AddPrefixSpace: { } wanted }) return json;
        var root = ModelJson.ParseNode(json, "tokenizer.json");
        var changed = false;
        void Visit(JsonNode? node)
        {
            if (node is JsonObject { } item && item["type"]?.ToString() == "ByteLevel" && item["add_prefix_space"] is JsonValue flag && flag.TryGetValue(out bool has) && has != wanted)
            {
                item["add_prefix_space"] = wanted;
                changed = true;
            }
            if (node is JsonObject { } sequence && sequence["pretokenizers"] is JsonArray items)
            {
                foreach (var part in items) Visit(part);
            }
        }
        Visit((root as JsonObject)?["pre_tokenizer"]);
        return changed ? System.Text.Encoding.UTF8.GetBytes(root!.ToJsonString(new JsonSerializerOptions { Encoder = s_readable })) : json;
    }

    private static byte[] FromVocabulary(string vocabularyFile, string mergesFile, TokenizerSettings settings)
    {
        var prefixSpace = settings.AddPrefixSpace == true ? "true" : "false";
        var (normalizer, preTokenizer) = settings.TokenizerClass switch
        {
            "GPT2Tokenizer" => ("null", $$"""{"type":"ByteLevel","add_prefix_space":{{prefixSpace}},"trim_offsets":true,"use_regex":true}"""),
            "Qwen2Tokenizer" => ("""{"type":"NFC"}""", $$$"""{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":{{{JsonSerializer.Serialize(QwenPattern)}}}},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":{{{prefixSpace}}},"trim_offsets":true,"use_regex":false}]}"""),
            { } other => throw new UnsupportedTokenizerException("tokenizer_config.json: tokenizer_class", $"how a {other} splits text is not known from vocab.json and merges.txt (known: GPT2Tokenizer, Qwen2Tokenizer); the model's tokenizer.json says it"),
            null => throw new UnsupportedTokenizerException("tokenizer_config.json: tokenizer_class", "without it, and with a model that is not gpt2, qwen2 or qwen3, vocab.json and merges.txt do not say how text is split (known: GPT2Tokenizer, Qwen2Tokenizer); the model's tokenizer.json says it"),
        };
        using var vocabulary = Parse(vocabularyFile);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = s_readable }))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WritePropertyName("normalizer");
            json.WriteRawValue(normalizer);
            json.WritePropertyName("pre_tokenizer");
            json.WriteRawValue(preTokenizer);
            json.WritePropertyName("decoder");
            json.WriteRawValue("""{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}""");
            json.WriteStartObject("model");
            json.WriteString("type", "BPE");
            json.WritePropertyName("vocab");
            vocabulary.RootElement.WriteTo(json);
            json.WriteStartArray("merges");
            foreach (var line in File.ReadLines(mergesFile))
            {
                if (line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal)) json.WriteStringValue(line);
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    private static JsonDocument Parse(string file) => ModelJson.Parse(File.ReadAllBytes(file), Path.GetFileName(file));
}
