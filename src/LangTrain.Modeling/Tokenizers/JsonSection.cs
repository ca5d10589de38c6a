using System.Text.Json;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>One object of tokenizer.json, read strictly: a key that nobody honours is an error that names it.</summary>
internal readonly struct JsonSection
{
    public JsonSection(JsonElement json, string path)
    {
        if (json.ValueKind != JsonValueKind.Object) throw new UnsupportedTokenizerException(path, $"expected an object, found {json.ValueKind}");
        Json = json;
        Path = path;
    }

    public JsonElement Json { get; }

    public string Path { get; }

    public string Type => String("type");

    /// <summary>Refuses every key besides <c>type</c> and the given ones.</summary>
    public void Allow(params ReadOnlySpan<string> keys)
    {
        foreach (var property in Json.EnumerateObject())
        {
            if (property.Name != "type" && !keys.Contains(property.Name)) throw new UnsupportedTokenizerException($"{Path}.{property.Name}", "this key is not understood");
        }
    }

    public string String(string key) => Json.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw new UnsupportedTokenizerException($"{Path}.{key}", "expected a string");

    public string? OptionalString(string key) => Json.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? String(key) : null;

    public bool Bool(string key, bool byDefault) => !Json.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null ? byDefault : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new UnsupportedTokenizerException($"{Path}.{key}", "expected true or false"),
    };

    public int Int(string key) => Json.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
        ? number
        : throw new UnsupportedTokenizerException($"{Path}.{key}", "expected a whole number");

    public JsonSection Object(string key) => new(Json.TryGetProperty(key, out var value) ? value : default, $"{Path}.{key}");

    public IEnumerable<(JsonElement Json, string Path)> Items(string key)
    {
        if (!Json.TryGetProperty(key, out var value) || value.ValueKind != JsonValueKind.Array) throw new UnsupportedTokenizerException($"{Path}.{key}", "expected an array");
        var path = Path;
        return value.EnumerateArray().Select((item, i) => (item, $"{path}.{key}[{i}]"));
    }

    public UnsupportedTokenizerException UnknownType(string known) => new($"{Path}.type", $"'{Type}' is not understood (known: {known})");
}
