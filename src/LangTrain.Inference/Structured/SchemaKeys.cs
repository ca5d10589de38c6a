using System.Text.Json;

namespace LangTrain.Inference.Structured;

/// <summary>The keywords of one schema object, each to be taken by whoever honours it; what nobody took is refused.</summary>
internal sealed class SchemaKeys
{
    private readonly Dictionary<string, JsonElement> _keys = [];
    private readonly HashSet<string> _taken = [];

    public SchemaKeys(JsonElement schema, string path, IReadOnlySet<string> describing)
    {
        Path = path;
        foreach (var property in schema.EnumerateObject())
        {
            if (!describing.Contains(property.Name))
                _keys[property.Name] = property.Value;
        }
    }

    /// <summary>Where the schema stands, for messages.</summary>
    public string Path { get; }

    public bool Has(string keyword) => _keys.ContainsKey(keyword);

    /// <summary>A keyword's value, which counts as honoured from here on; null where the schema does not have it.</summary>
    public JsonElement? Take(string keyword)
    {
        _taken.Add(keyword);
        return _keys.TryGetValue(keyword, out var value) ? value : null;
    }

    /// <summary>A pair of counts, 0 and int.MaxValue where they are not given.</summary>
    public (int Min, int Max) Bounds(string minKeyword, string maxKeyword)
    {
        var min = Take(minKeyword)?.GetInt32() ?? 0;
        var max = Take(maxKeyword)?.GetInt32() ?? int.MaxValue;
        return min >= 0 && max >= min ? (min, max) : throw Refuse(minKeyword, $"above {maxKeyword} or below 0");
    }

    public UnsupportedSchemaException Refuse(string keyword, string what) => new(keyword, $"{Path} has {keyword} {what}, which structured output does not support.");

    public void RefuseRest()
    {
        foreach (var (keyword, _) in _keys)
        {
            if (!_taken.Contains(keyword))
                throw new UnsupportedSchemaException(keyword, $"{Path} has {keyword}, which structured output does not support here.");
        }
    }
}
