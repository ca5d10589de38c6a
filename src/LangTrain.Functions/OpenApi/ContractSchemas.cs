using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace LangTrain.Functions.OpenApi;

/// <summary>JSON Schemas of the records that are answered, by the serializer's own contracts: named once as a component, referred to everywhere. Not thread-safe.</summary>
/// <remarks>A property that may be null is left out by the serializer, so it is optional and never null; one that is always written is required.</remarks>
internal sealed partial class ContractSchemas(ContractWords words)
{
    private static readonly Dictionary<Type, string> Plain = new()
    {
        [typeof(string)] = """{"type":"string"}""",
        [typeof(bool)] = """{"type":"boolean"}""",
        [typeof(int)] = """{"type":"integer","format":"int32"}""",
        [typeof(long)] = """{"type":"integer","format":"int64"}""",
        [typeof(double)] = """{"type":"number","format":"double"}""",
        [typeof(decimal)] = """{"type":"number"}""",
        [typeof(DateTimeOffset)] = """{"type":"string","format":"date-time"}""",
        [typeof(DateOnly)] = """{"type":"string","format":"date"}""",
        [typeof(Uri)] = """{"type":"string","format":"uri"}""",
        [typeof(JsonElement)] = "{}",
    };

    /// <summary>Schemas by name, as <c>components.schemas</c> has them.</summary>
    public JsonObject Components { get; } = [];

    /// <summary>A reference to the schema of a record.</summary>
    public JsonObject Refer(JsonTypeInfo type)
    {
        var name = NameOf(type.Type);
        if (!Components.ContainsKey(name))
        {
            // Its place is taken before its properties are looked at, which may lead back to it.
            Components[name] = null;
            Components[name] = Describe(type);
        }

        return new JsonObject { ["$ref"] = "#/components/schemas/" + name };
    }

    /// <summary>The schema of an answer: of a record by reference, of an array of records in place.</summary>
    public JsonObject Of(JsonTypeInfo type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return SchemaOf(type.Type, type.Options);
    }

    /// <summary>Gives properties of a request the descriptions (and defaults) of a record's properties of the same name.</summary>
    public void Explain(JsonObject schema, JsonTypeInfo type, JsonObject? defaults)
    {
        if (schema["properties"] is not JsonObject properties)
        {
            return;
        }

        foreach (var property in type.Properties)
        {
            if (properties[property.Name] is not JsonObject known)
            {
                continue;
            }

            var value = defaults?[property.Name];
            if (value is JsonObject inner || type.Options.GetTypeInfo(property.PropertyType).Kind == JsonTypeInfoKind.Object)
            {
                Explain(known, type.Options.GetTypeInfo(property.PropertyType), value as JsonObject);
            }
            else if (value is not null && !known.ContainsKey("default"))
            {
                known["default"] = value.DeepClone();
            }

            if (!known.ContainsKey("description") && Words(property) is { } text)
            {
                known["description"] = text;
            }
        }
    }

    private static string NameOf(Type type)
    {
        if (type.IsGenericType)
        {
            return NameOf(type.GetGenericArguments()[0]) + "List";
        }

        return type.Name.EndsWith("Answer", StringComparison.Ordinal) ? type.Name[..^"Answer".Length] : type.Name;
    }

    private JsonObject Describe(JsonTypeInfo type)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var property in type.Properties)
        {
            var ignore = property.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), inherit: true).OfType<JsonIgnoreAttribute>().FirstOrDefault()?.Condition;
            if (ignore == JsonIgnoreCondition.Always)
            {
                continue;
            }

            var mayBeNull = property.IsGetNullable || Nullable.GetUnderlyingType(property.PropertyType) is not null;
            var isWritten = ignore == JsonIgnoreCondition.Never || (!mayBeNull && ignore is null);
            var schema = SchemaOf(property.PropertyType, type.Options);
            var text = Words(property);
            if (text is not null && Always.Match(text) is { Success: true } match)
            {
                schema = new JsonObject { ["type"] = "string", ["const"] = match.Groups[1].Value };
            }

            if (mayBeNull && isWritten)
            {
                schema = OrNull(schema);
            }

            if (text is not null)
            {
                // Beside $ref, too: 2020-12 reads what stands there.
                schema["description"] = text;
            }

            properties[property.Name] = schema;
            if (isWritten)
            {
                required.Add(property.Name);
            }
        }

        var described = new JsonObject { ["type"] = "object" };
        if (words.Of(type.Type) is { } summary)
        {
            described["description"] = summary;
        }

        described["properties"] = properties;
        if (required.Count > 0)
        {
            described["required"] = required;
        }

        return described;
    }

    private JsonObject SchemaOf(Type type, JsonSerializerOptions options)
    {
        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            type = value;
        }

        if (Plain.TryGetValue(type, out var plain))
        {
            return JsonNode.Parse(plain)!.AsObject();
        }

        var info = options.GetTypeInfo(type);
        return info.Kind switch
        {
            JsonTypeInfoKind.Object => Refer(info),
            JsonTypeInfoKind.Enumerable => new JsonObject { ["type"] = "array", ["items"] = ElementOf(info) },
            JsonTypeInfoKind.Dictionary => new JsonObject { ["type"] = "object", ["additionalProperties"] = ElementOf(info) },
            _ => throw new NotSupportedException($"{type} has no description; give it one here."),
        };
    }

    // What an element of a reference type may be is not in the contract: JSON objects in lists may be null (log-probabilities of a first token).
    private JsonObject ElementOf(JsonTypeInfo list)
    {
        var schema = SchemaOf(list.ElementType!, list.Options);
        return Nullable.GetUnderlyingType(list.ElementType!) is not null || list.Options.GetTypeInfo(list.ElementType!).Kind == JsonTypeInfoKind.Dictionary
            ? OrNull(schema)
            : schema;
    }

    private static JsonObject OrNull(JsonObject schema)
    {
        if (schema["type"] is JsonValue type && !schema.ContainsKey("const"))
        {
            schema["type"] = new JsonArray(type.DeepClone(), "null");
            return schema;
        }

        return schema.Count == 0 ? schema : new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
    }

    private string? Words(JsonPropertyInfo property) => property.AttributeProvider is MemberInfo member ? words.Of(member) : null;

    // A field that holds one word says so in its documentation, and tests hold the answers against it.
    [GeneratedRegex("^Always `([a-z_.]+)`")]
    private static partial Regex Always { get; }
}
