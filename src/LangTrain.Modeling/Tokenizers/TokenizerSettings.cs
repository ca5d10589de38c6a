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

    /// <summary>Added tokens that tokenizer_config.json (<c>added_tokens_decoder</c>) or the older <c>added_tokens.json</c> tell of.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; private init; } = [];

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
                settings.AddEosToken ?? Flag(json.RootElement, "add_eos_token"))
            {
                AddedTokens = settings.AddedTokens.Count > 0 ? settings.AddedTokens : FromDecoder(json.RootElement),
            };
        }
        var old = Path.Combine(folder, "added_tokens.json");
        if (settings.AddedTokens.Count > 0 || !File.Exists(old)) return settings;
        using var ids = Parse(old, "added_tokens.json");
        return settings with { AddedTokens = [.. ids.RootElement.EnumerateObject().Select(pair => new AddedToken(Id(pair.Value, "added_tokens.json"), pair.Name, false, false, false, false, false))] };
    }

    /// <summary>The added tokens of tokenizer.json and the ones beside it: what tokenizer_config.json says of a token holds, as in transformers; an id that is taken stays with whom it is.</summary>
    public IReadOnlyList<AddedToken> Join(IReadOnlyList<AddedToken> own, Func<string, int?> find)
    {
        if (AddedTokens.Count == 0) return own;
        var joined = own.ToDictionary(token => token.Content);
        var taken = own.Select(token => token.Id).ToHashSet();
        foreach (var token in AddedTokens)
        {
            var id = joined.TryGetValue(token.Content, out var known) ? known.Id : find(token.Content) ?? (taken.Contains(token.Id) ? -1 : token.Id);
            if (id < 0) throw new UnsupportedTokenizerException("tokenizer_config.json: added_tokens_decoder", $"the id {token.Id} of '{token.Content}' belongs to another token in tokenizer.json");
            taken.Add(id);
            joined[token.Content] = token with { Id = id };
        }
        return [.. joined.Values];
    }

    private static List<AddedToken> FromDecoder(JsonElement json)
    {
        var tokens = new List<AddedToken>();
        if (!json.TryGetProperty("added_tokens_decoder", out var decoder) || decoder.ValueKind != JsonValueKind.Object) return tokens;
        foreach (var entry in decoder.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var id)
                || entry.Value.ValueKind != JsonValueKind.Object || !entry.Value.TryGetProperty("content", out var content) || content.ValueKind != JsonValueKind.String)
            {
                throw new InvalidDataException($"tokenizer_config.json: added_tokens_decoder '{entry.Name}' is no token.");
            }
            bool Is(string key) => Flag(entry.Value, key) ?? false;
            tokens.Add(new AddedToken(id, content.GetString()!, Is("special"), Is("normalized"), Is("single_word"), Is("lstrip"), Is("rstrip")));
        }
        return tokens;
    }

    private static int Id(JsonElement json, string file) => json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out var id) && id >= 0 ? id : throw new InvalidDataException($"{file}: expected a token id.");

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
