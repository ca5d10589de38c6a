using System.Text.Json;
using System.Text.Json.Nodes;

namespace LangTrain.Modeling;

/// <summary>
/// One JSON object of config.json, or of a file like it, that remembers which keys were asked for, so that what nobody asked for can be refused.
/// </summary>
internal sealed class ConfigObject(JsonObject json, string prefix = "", string file = "config.json")
{
    /// <summary>The smallest that Float32 holds in full; what is divided by less is infinite there.</summary>
    private const double SmallestPositive = 1.17549435e-38;

    private readonly HashSet<string> _known = [];

    public string Path(string key) => prefix + key;

    /// <summary>The value, or null where the key is absent or null; the key counts as honoured.</summary>
    public JsonNode? Take(string key)
    {
        _known.Add(key);
        return json.TryGetPropertyValue(key, out JsonNode? value) ? value : null;
    }

    public void Allow(IEnumerable<string> keys) => _known.UnionWith(keys);

    public int Integer(string key) => OptionalInteger(key) ?? throw Missing(key);

    public int? OptionalInteger(string key) => OptionalNumber(key) is not { } number
        ? null
        : number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue ? (int)number : throw Wrong(key, "a whole number");

    public int PositiveInteger(string key, int? otherwise = null, int most = int.MaxValue) =>
        (OptionalPositiveInteger(key) ?? otherwise ?? throw Missing(key)) is var number && number <= most ? number : throw Wrong(key, $"at most {most}");

    /// <summary>Whether the key is there at all; null counts (families differ in what absent and null mean).</summary>
    public bool Has(string key) => json.ContainsKey(key);

    public int? OptionalPositiveInteger(string key) => OptionalInteger(key) is not { } number ? null : number > 0 ? number : throw Wrong(key, "a positive whole number");

    public double? OptionalPositiveNumber(string key) => OptionalNumber(key) is not { } number ? null : number >= SmallestPositive ? number : throw Wrong(key, "a positive number");

    public double? OptionalNumber(string key) => Take(key) is not { } node ? null : node is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.GetValue<JsonElement>().GetDouble() is var number && FitsFloat(number) ? number : throw Wrong(key, "a number");

    /// <summary>libtorch takes no larger number for a Float32 tensor.</summary>
    private static bool FitsFloat(double number) => Math.Abs(number) <= float.MaxValue;

    public bool Flag(string key, bool otherwise) => Take(key) is not { } node ? otherwise : node.GetValueKind() switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(key, "true or false"),
    };

    public string? OptionalText(string key) => Take(key) is not { } node ? null : node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : throw Wrong(key, "a string");

    public IReadOnlyList<double> Numbers(string key) => (Take(key) ?? throw Missing(key)) is JsonArray array && array.All(item => item?.GetValueKind() == JsonValueKind.Number && FitsFloat(item.GetValue<JsonElement>().GetDouble()))
        ? [.. array.Select(item => item!.GetValue<JsonElement>().GetDouble())]
        : throw Wrong(key, "a list of numbers");

    public IReadOnlyList<int>? OptionalIntegers(string key) => Take(key) is not { } node ? null
        : node is JsonArray array && array.All(item => item?.GetValueKind() == JsonValueKind.Number && item.GetValue<JsonElement>().TryGetInt32(out _)) ? [.. array.Select(item => item!.GetValue<JsonElement>().GetInt32())]
        : throw Wrong(key, "a list of whole numbers");

    public IReadOnlyList<string>? OptionalTexts(string key) => Take(key) is not { } node ? null
        : node is JsonArray array && array.All(item => item?.GetValueKind() == JsonValueKind.String) ? [.. array.Select(item => item!.GetValue<string>())]
        : throw Wrong(key, "a list of strings");

    public ConfigObject? OptionalObject(string key) => Take(key) is not { } node ? null : node is JsonObject inner ? new ConfigObject(inner, Path(key) + ".", file) : throw Wrong(key, "an object");

    /// <summary>One token id or a list of them.</summary>
    public IReadOnlyList<int> TokenIds(string key) => Take(key) switch
    {
        null => [],
        JsonArray array => [.. array.Select(item => item?.GetValueKind() == JsonValueKind.Number && item.GetValue<JsonElement>().TryGetInt32(out int id) ? id : throw Wrong(key, "token ids"))],
        JsonNode one => one.GetValueKind() == JsonValueKind.Number && one.GetValue<JsonElement>().TryGetInt32(out int id) ? [id] : throw Wrong(key, "a token id or a list of them"),
    };

    /// <summary>The key may be absent, null or one of the values; anything else changes the arithmetic in a way that is not computed.</summary>
    public void Require(string key, params ReadOnlySpan<string> allowed)
    {
        if (Take(key) is { } node)
        {
            string found = node.ToJsonString().Trim('"');
            foreach (string one in allowed)
            {
                if (one == found)
                {
                    return;
                }
            }

            throw new UnsupportedModelException(Path(key), $"{found} is not supported; {(allowed.IsEmpty ? "it has to be absent or null" : $"supported: {string.Join(", ", allowed.ToArray())}")}.", file);
        }
    }

    /// <exception cref="UnsupportedModelException">A key with a value that nobody asked for.</exception>
    public void RefuseTheRest()
    {
        foreach ((string key, JsonNode? value) in json)
        {
            if (value is not null && !_known.Contains(key))
            {
                throw new UnsupportedModelException(Path(key), "this key is not known, and it may change what the model computes.", file);
            }
        }
    }

    public InvalidDataException Missing(string key) => new($"{file}: '{Path(key)}' is missing.");

    public InvalidDataException Wrong(string key, string expected) => new($"{file}: '{Path(key)}' is {json[key]!.ToJsonString()}; expected {expected}.");
}
