using System.Text.Json.Nodes;
using LangTrain.Core.Errors;

namespace LangTrain.Core.Http;

/// <summary>The JSON Schema (2020-12) of a request's body, taken down while the body's own reader reads: so what is described is what is checked.</summary>
/// <remarks>
/// The reader runs twice over an object that is not there. Once every key seems to be present, so that all of them are asked for; once none
/// does, so that it says which are missing. A key that the reader only looks for in order to refuse it is left out. Null and absent read alike
/// everywhere; the schema names the type without null. Not thread-safe.
/// </remarks>
public sealed class RequestShape
{
    // In the order of reading, which is the order in which people describe them.
    private readonly List<string> _keys = [];
    private readonly Dictionary<string, JsonObject> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RequestShape> _inner = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (JsonObject Type, bool MayBeAbsent)> _said = new(StringComparer.Ordinal);
    private readonly HashSet<string> _required = new(StringComparer.Ordinal);

    internal RequestShape(bool present) => IsPresent = present;

    /// <summary>Whether keys seem to be there in this run.</summary>
    internal bool IsPresent { get; set; }

    /// <summary>Whether other keys are refused.</summary>
    internal bool IsClosed { get; set; }

    /// <summary>Describes the body that a reader reads.</summary>
    /// <param name="read">Reads a body; ends by returning or with what it found wrong.</param>
    public static JsonObject Of(Action<RequestObject> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var shape = new RequestShape(present: true);
        var refused = Run(read, shape);
        shape.IsPresent = false;
        foreach (var inner in shape._inner.Values)
        {
            inner.SetPresent(false);
        }

        Run(read, shape);
        return shape.ToSchema("", refused);
    }

    internal void Note(string key, JsonObject? type = null, bool isRequired = false)
    {
        if (!_keys.Contains(key))
        {
            _keys.Add(key);
        }

        if (type is not null)
        {
            _types.TryAdd(key, type);
        }

        if (isRequired)
        {
            _required.Add(key);
        }
    }

    internal void Say(string key, JsonObject type, bool mayBeAbsent)
    {
        Note(key);
        _said[key] = (type, mayBeAbsent);
    }

    /// <summary>The shape of an object below a key, one for both runs.</summary>
    internal RequestShape Inner(string key, JsonObject? around = null)
    {
        Note(key, around);
        if (!_inner.TryGetValue(key, out var inner))
        {
            _inner[key] = inner = new RequestShape(IsPresent);
        }

        return inner;
    }

    private static HashSet<string> Run(Action<RequestObject> read, RequestShape shape)
    {
        var problems = new RequestProblems(isDescription: true);
        try
        {
            read(new RequestObject(shape, "", problems));
        }
        catch (ApiException)
        {
            // What a reader found wrong with nothing is no news, but for the keys that it never takes.
        }

        return [.. problems.Found.Where(problem => problem.Code.StartsWith("unsupported", StringComparison.Ordinal)).Select(problem => problem.Param ?? "")];
    }

    private void SetPresent(bool present)
    {
        IsPresent = present;
        foreach (var inner in _inner.Values)
        {
            inner.SetPresent(present);
        }
    }

    private JsonObject ToSchema(string path, HashSet<string> refused)
    {
        var properties = new JsonObject();
        foreach (var key in _keys)
        {
            var at = path.Length == 0 ? key : path + "." + key;
            if (refused.Contains(at) && !_types.ContainsKey(key) && !_inner.ContainsKey(key) && !_said.ContainsKey(key))
            {
                continue;
            }

            properties[key] = TypeOf(key, at, refused);
        }

        var schema = new JsonObject { ["type"] = "object" };
        if (properties.Count > 0)
        {
            schema["properties"] = properties;
        }

        var required = _keys.Where(key => _required.Contains(key) && !(_said.TryGetValue(key, out var said) && said.MayBeAbsent)).ToArray();
        if (required.Length > 0)
        {
            schema["required"] = new JsonArray([.. required.Select(key => (JsonNode)key)]);
        }

        if (IsClosed)
        {
            schema["additionalProperties"] = false;
        }

        return schema;
    }

    private JsonNode TypeOf(string key, string at, HashSet<string> refused)
    {
        if (_said.TryGetValue(key, out var said))
        {
            return said.Type.DeepClone();
        }

        if (!_inner.TryGetValue(key, out var inner))
        {
            return _types.TryGetValue(key, out var type) ? type.DeepClone() : new JsonObject();
        }

        if (!_types.TryGetValue(key, out var around))
        {
            return inner.ToSchema(at, refused);
        }

        var array = around.DeepClone().AsObject();
        array["items"] = inner.ToSchema(at + "[0]", refused);
        return array;
    }
}
