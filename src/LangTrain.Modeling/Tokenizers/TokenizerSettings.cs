using System.Text.Json;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>What lies beside tokenizer.json about special tokens: <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>.</summary>
/// <param name="BosToken">Begins a text; null when not said.</param>
/// <param name="EosToken">Ends a text; null when not said.</param>
/// <param name="PadToken">Fills a batch; null when not said.</param>
/// <param name="AddBosToken">True or false when said; null otherwise.</param>
/// <param name="AddEosToken">True or false when said; null otherwise.</param>
internal sealed record TokenizerSettings(string? BosToken, string? EosToken, string? PadToken, bool? AddBosToken, bool? AddEosToken)
{
    public static TokenizerSettings Empty { get; } = new(null, null, null, null, null);

    /// <exception cref="InvalidDataException">A file is there and is no JSON object.</exception>
    public static TokenizerSettings Read(string folder)
    {
        var settings = Empty;
        foreach (var name in (ReadOnlySpan<string>)["tokenizer_config.json", "special_tokens_map.json"])
        {
            var path = Path.Combine(folder, name);
            if (!File.Exists(path)) continue;
            using var json = Parse(path, name);
            settings = new TokenizerSettings(
                settings.BosToken ?? Token(json.RootElement, "bos_token"),
                settings.EosToken ?? Token(json.RootElement, "eos_token"),
                settings.PadToken ?? Token(json.RootElement, "pad_token"),
                settings.AddBosToken ?? Flag(json.RootElement, "add_bos_token"),
                settings.AddEosToken ?? Flag(json.RootElement, "add_eos_token"));
        }
        return settings;
    }

    private static JsonDocument Parse(string path, string name)
    {
        try
        {
            var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement.ValueKind == JsonValueKind.Object ? json : throw new InvalidDataException($"{name} is not a JSON object.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{name} is not valid JSON: {e.Message}", e);
        }
    }

    /// <summary>A token is written as its text or as an added token's object.</summary>
    private static string? Token(JsonElement json, string key)
    {
        if (!json.TryGetProperty(key, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("content", out var content)) value = content;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    private static bool? Flag(JsonElement json, string key) => json.TryGetProperty(key, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;
}
