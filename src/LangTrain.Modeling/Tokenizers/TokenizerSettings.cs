using System.Globalization;
using System.Text.Json;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>What lies beside a vocabulary about its tokens: tokenizer_config.json, and the older special_tokens_map.json and added_tokens.json.</summary>
/// <remarks>
/// Precedence, names and defaults as Hugging Face transformers 5 has them: where tokenizer_config.json has <c>added_tokens_decoder</c> the two older
/// files do not count; where it has none, special_tokens_map.json has the last word.
/// </remarks>
internal sealed class TokenizerSettings
{
    private const string DecoderKey = "added_tokens_decoder", ExtraKey = "extra_special_tokens", OldExtraKey = "additional_special_tokens";

    // The order is that in which tokens without ids get them.
    private static readonly string[] s_names = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private readonly Dictionary<string, JsonElement> _values = [];
    private readonly OrderedDictionary<string, AddedToken> _named = [];

    private TokenizerSettings()
    {
    }

    public static TokenizerSettings Empty => new();

    /// <summary>Settings that name these tokens, where they are not null.</summary>
    public static TokenizerSettings Of(string? bosToken, string? eosToken)
    {
        var settings = new TokenizerSettings();
        if (bosToken is not null) settings._named["bos_token"] = AddedToken.Special(bosToken);
        if (eosToken is not null) settings._named["eos_token"] = AddedToken.Special(eosToken);
        return settings;
    }

    /// <summary>The class that transformers would take, without "Fast"; null where nothing says it.</summary>
    public string? TokenizerClass { get; private set; }

    public AddedToken? BosToken => _named.GetValueOrDefault("bos_token");

    public AddedToken? EosToken => _named.GetValueOrDefault("eos_token");

    public AddedToken? PadToken => _named.GetValueOrDefault("pad_token");

    public bool? AddBosToken => Flag("add_bos_token");

    public bool? AddEosToken => Flag("add_eos_token");

    public bool? AddPrefixSpace => Flag("add_prefix_space");

    /// <summary>Tokens with a role (bos_token, …, image_token), all special; templates know them by it.</summary>
    public IEnumerable<KeyValuePair<string, AddedToken>> Roles => _named;

    /// <summary>Further special tokens.</summary>
    public IReadOnlyList<AddedToken> Extra { get; private set; } = [];

    /// <summary>Added tokens by the ids that the files say, ascending.</summary>
    public IReadOnlyList<AddedToken> Listed { get; private set; } = [];

    /// <summary>Tokens that the class has without anybody naming them; those that text can do without are only these.</summary>
    public IReadOnlyList<AddedToken> OfClass { get; private set; } = [];

    /// <exception cref="InvalidDataException">A file is there and is no JSON object, or says of a token what none can be.</exception>
    /// <exception cref="UnsupportedTokenizerException">A switch that is not honoured is on.</exception>
    public static TokenizerSettings Read(string folder)
    {
        using JsonDocument? config = Open(folder, "tokenizer_config.json"), map = Open(folder, "special_tokens_map.json"), ids = Open(folder, "added_tokens.json"), model = Open(folder, "config.json");
        var settings = new TokenizerSettings();
        foreach (var entry in Entries(config)) settings._values[entry.Name] = entry.Value;
        var hasList = settings._values.TryGetValue(DecoderKey, out var decoder) && decoder.ValueKind == JsonValueKind.Object;
        if (settings.Flag("split_special_tokens") == true) throw new UnsupportedTokenizerException("tokenizer_config.json: split_special_tokens", "only false is understood");
        settings.TokenizerClass = ClassOf(settings.Text("tokenizer_class"), model is null ? null : Text(model.RootElement, "model_type"));

        List<AddedToken> extra = [.. settings.List(ExtraKey) ?? settings.List(OldExtraKey) ?? []];
        foreach (var entry in hasList ? [] : Entries(map))
        {
            if (entry.Name == ExtraKey && entry.Value.ValueKind == JsonValueKind.Array) extra.AddRange(List(entry.Value));
            else if (entry.Name == OldExtraKey && extra.Count == 0) extra.AddRange(List(entry.Value));
            else settings._values[entry.Name] = entry.Value;
        }
        settings.Extra = extra;
        settings.NameTokens();
        settings.Listed = hasList ? FromDecoder(decoder) : [.. Entries(ids).Select(settings.FromIds).OrderBy(token => token.Id)];
        // The list knows more of a token than its name does.
        foreach (var token in settings.Listed)
        {
            foreach (var name in settings._named.Where(pair => pair.Value.Content == token.Content).Select(pair => pair.Key).ToList()) settings._named[name] = token with { IsSpecial = true };
        }
        settings._values.Clear();
        foreach (var entry in Entries(config))
        {
            // What outlives the documents.
            if (entry.Value.ValueKind is JsonValueKind.True or JsonValueKind.False) settings._values[entry.Name] = entry.Value.Clone();
        }
        return settings;
    }

    private void NameTokens()
    {
        var ofClass = TokenizerClass switch
        {
            "GPT2Tokenizer" => ["bos_token", "eos_token", "unk_token"],
            "Qwen2Tokenizer" => (string[])["eos_token", "unk_token", "pad_token"],
            _ => [],
        };
        List<AddedToken> defaults = [];
        foreach (var name in s_names)
        {
            if (_values.TryGetValue(name, out var value)) Name(name, value);
            else if (ofClass.Contains(name))
            {
                _named[name] = AddedToken.Special("<|endoftext|>");
                defaults.Add(_named[name]);
            }
        }
        OfClass = defaults;
        foreach (var (name, value) in _values.Where(pair => pair.Key.EndsWith("_token", StringComparison.Ordinal) && !s_names.Contains(pair.Key))) Name(name, value);
        if (!_values.TryGetValue(ExtraKey, out var roles) || roles.ValueKind != JsonValueKind.Object) return;
        foreach (var role in roles.EnumerateObject()) Name(role.Name, role.Value);
    }

    private void Name(string name, JsonElement value)
    {
        if (AddedToken.FromSettings(value, true) is { } token) _named[name] = token with { IsSpecial = true };
    }

    /// <summary>Some published models name a class that is not theirs; transformers takes the model's own for them.</summary>
    private static string? ClassOf(string? named, string? modelType)
    {
        var own = modelType switch { "gpt2" => "GPT2Tokenizer", "qwen2" or "qwen3" => "Qwen2Tokenizer", _ => null };
        if (named is not null && named.EndsWith("Fast", StringComparison.Ordinal)) named = named[..^4];
        return named is null || modelType == "qwen2" ? own : named;
    }

    private static List<AddedToken> FromDecoder(JsonElement decoder)
    {
        var tokens = new SortedDictionary<int, AddedToken>();
        foreach (var entry in decoder.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || entry.Value.ValueKind != JsonValueKind.Object || AddedToken.FromSettings(entry.Value, false) is not { } token)
            {
                throw new InvalidDataException($"tokenizer_config.json: {DecoderKey} '{entry.Name}' is no token.");
            }
            tokens[id] = token with { Id = id };
        }
        return [.. tokens.Values];
    }

    private AddedToken FromIds(JsonProperty entry)
    {
        if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out var id) || id < 0) throw new InvalidDataException("added_tokens.json: expected a token id.");
        var special = _named.Values.Concat(Extra).Any(token => token.Content == entry.Name);
        return new AddedToken(id, entry.Name, special, !special, false, false, false);
    }

    private List<AddedToken>? List(string key) => _values.TryGetValue(key, out var value) && value.ValueKind == JsonValueKind.Array ? List(value) : null;

    private static List<AddedToken> List(JsonElement json) => json.ValueKind == JsonValueKind.Array ? [.. json.EnumerateArray().Select(item => AddedToken.FromSettings(item, true)).OfType<AddedToken>()] : [];

    private static List<JsonProperty> Entries(JsonDocument? json) => json is null ? [] : [.. json.RootElement.EnumerateObject()];

    private bool? Flag(string key) => _values.TryGetValue(key, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;

    private string? Text(string key) => _values.TryGetValue(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? Text(JsonElement json, string key) => json.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonDocument? Open(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        if (!File.Exists(path)) return null;
        var json = ModelJson.Parse(File.ReadAllBytes(path), name);
        if (json.RootElement.ValueKind == JsonValueKind.Object) return json;
        json.Dispose();
        throw new InvalidDataException($"{name} is not a JSON object.");
    }
}
