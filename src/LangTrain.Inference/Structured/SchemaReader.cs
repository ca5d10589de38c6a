using System.Runtime.CompilerServices;
using System.Text.Json;

namespace LangTrain.Inference.Structured;

/// <summary>
/// Reads a JSON schema into an expression over the texts that are valid under it. Every keyword is either honoured, one that only describes, or
/// refused by name: none is passed over.
/// </summary>
/// <remarks>
/// Narrower than the schema where that helps and never wider: properties come in the order in which the schema lists them, and an object with
/// listed properties gets no others.
/// </remarks>
internal sealed class SchemaReader
{
    private static readonly HashSet<string> Describing =
        ["title", "description", "default", "examples", "$schema", "$id", "$comment", "$defs", "definitions", "deprecated", "readOnly", "writeOnly"];

    private readonly Grammar _grammar;
    private readonly JsonPieces _json;
    private readonly JsonElement _root;
    private readonly Dictionary<string, GrammarNode> _references = [];

    private SchemaReader(Grammar grammar, JsonElement root) => (_grammar, _json, _root) = (grammar, new JsonPieces(grammar), root);

    /// <summary>The texts that are valid under a schema.</summary>
    /// <exception cref="UnsupportedSchemaException">A keyword is not supported, or nothing is valid.</exception>
    public static GrammarNode Read(Grammar grammar, JsonElement schema)
    {
        try
        {
            var reader = new SchemaReader(grammar, schema);
            var node = reader.Value(schema, "#");
            foreach (var (reference, rule) in reader._references)
                RefuseEndless(rule.Body!, rule, reference, []);
            return grammar.MinBytes(node) == int.MaxValue ? throw new UnsupportedSchemaException("schema", "No value is valid under the schema.") : node;
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            throw new UnsupportedSchemaException("schema", "A keyword of the schema has a value of the wrong type.");
        }
        catch (InsufficientExecutionStackException)
        {
            throw new UnsupportedSchemaException("schema", "The schema is too large or too deep.");
        }
    }

    // A reference that can be followed back to itself with no text between would be walked without end.
    private static void RefuseEndless(GrammarNode node, GrammarNode rule, string reference, HashSet<GrammarNode> seen)
    {
        if (node == rule)
            throw new UnsupportedSchemaException("$ref", $"'{reference}' is defined as itself.");
        if (node.Kind == GrammarNodeKind.Rule && seen.Add(node))
            RefuseEndless(node.Body!, rule, reference, seen);
        foreach (var alternative in node.Alternatives)
            RefuseEndless(alternative, rule, reference, seen);
    }

    private GrammarNode Value(JsonElement schema, string path)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (schema.ValueKind == JsonValueKind.True)
            return _json.Value;
        if (schema.ValueKind == JsonValueKind.False)
            return _grammar.Nothing;
        if (schema.ValueKind != JsonValueKind.Object)
            throw new UnsupportedSchemaException("schema", $"{path} is not a schema: an object, true or false.");
        var keys = new SchemaKeys(schema, path, Describing);
        var node = Read(keys);
        keys.RefuseRest();
        return node;
    }

    private GrammarNode Read(SchemaKeys keys)
    {
        if (keys.Take("$ref") is { } reference)
            return Reference(reference.GetString() ?? "", keys);
        if (keys.Take("const") is { } constant)
            return Literals([constant], keys);
        if (keys.Take("enum") is { } values)
            return Literals([.. values.EnumerateArray()], keys);
        if (keys.Take("anyOf") is { } anyOf)
            return _grammar.Choice([.. anyOf.EnumerateArray().Select((s, i) => Value(s, $"{keys.Path}/anyOf/{i}"))]);
        if (keys.Take("oneOf") is { } oneOf)
            return OneOf(oneOf, keys);
        if (keys.Take("allOf") is { } allOf)
        {
            return allOf.GetArrayLength() == 1
                ? Value(allOf[0], $"{keys.Path}/allOf/0")
                : throw keys.Refuse("allOf", "of more than one schema");
        }
        if (TypesOf(keys) is not { Count: > 0 } types)
            return _json.Value;
        return _grammar.Choice([.. types.Select(t => Typed(t, keys))]);
    }

    // A schema that says no type but speaks of one kind of value is taken to mean that kind: narrower, and valid.
    private static IReadOnlyList<string?> TypesOf(SchemaKeys keys) => keys.Take("type") switch
    {
        { ValueKind: JsonValueKind.Array } several => [.. several.EnumerateArray().Select(t => t.GetString())],
        { } one => [one.GetString()],
        null when keys.Has("properties") || keys.Has("additionalProperties") || keys.Has("required") => ["object"],
        null when keys.Has("items") || keys.Has("prefixItems") => ["array"],
        null when keys.Has("pattern") || keys.Has("minLength") || keys.Has("maxLength") || keys.Has("format") => ["string"],
        _ => [],
    };

    private GrammarNode Typed(string? type, SchemaKeys keys) => type switch
    {
        "object" => Object(keys),
        "array" => Array(keys),
        "string" => String(keys),
        "integer" => Integer(keys),
        "number" => Number(keys),
        "boolean" => _json.Boolean,
        "null" => _json.Null,
        _ => throw keys.Refuse("type", $"'{type}'"),
    };

    private GrammarNode Literals(IReadOnlyList<JsonElement> values, SchemaKeys keys)
    {
        var types = TypesOf(keys);
        return _grammar.Choice([.. values.Where(v => types.Count == 0 || types.Any(t => IsOf(v, t))).Select(_json.Literal)]);
    }

    private static bool IsOf(JsonElement value, string? type) => value.ValueKind switch
    {
        JsonValueKind.String => type == "string",
        JsonValueKind.Number => type == "number" || (type == "integer" && value.TryGetDecimal(out var number) && number == Math.Floor(number)),
        JsonValueKind.True or JsonValueKind.False => type == "boolean",
        JsonValueKind.Null => type == "null",
        JsonValueKind.Array => type == "array",
        _ => type == "object",
    };

    private GrammarNode Object(SchemaKeys keys)
    {
        var required = keys.Take("required") is { } names ? names.EnumerateArray().Select(n => n.GetString()!).ToHashSet() : [];
        var additional = keys.Take("additionalProperties");
        if (keys.Take("properties") is not { } properties || !properties.EnumerateObject().Any())
        {
            if (required.Count > 0)
                throw keys.Refuse("required", "of a property that is not in properties");
            return additional is { ValueKind: JsonValueKind.False } ? _json.Object([])
                : _json.Map(additional is { ValueKind: JsonValueKind.Object } item ? Value(item, keys.Path + "/additionalProperties") : _json.Value);
        }
        var members = properties.EnumerateObject()
            .Select(p => (p.Name, Value(p.Value, $"{keys.Path}/properties/{p.Name}"), required.Remove(p.Name))).ToList();
        return required.Count == 0 ? _json.Object(members) : throw keys.Refuse("required", $"of '{required.First()}', which is not in properties");
    }

    private GrammarNode Array(SchemaKeys keys)
    {
        var first = keys.Take("prefixItems") is { } prefix
            ? prefix.EnumerateArray().Select((s, i) => Value(s, $"{keys.Path}/prefixItems/{i}")).ToList() : [];
        var item = keys.Take("items") is { } items ? items.ValueKind == JsonValueKind.False ? null : Value(items, keys.Path + "/items") : _json.Value;
        if (keys.Take("uniqueItems") is { ValueKind: JsonValueKind.True })
            throw keys.Refuse("uniqueItems", "true");
        var (min, max) = keys.Bounds("minItems", "maxItems");
        return _json.Array(first, item, min, max);
    }

    private GrammarNode String(SchemaKeys keys)
    {
        var pattern = keys.Take("pattern")?.GetString();
        if (keys.Take("format")?.GetString() is { } format)
        {
            if (pattern is not null)
                throw keys.Refuse("format", "together with a pattern");
            pattern = StringFormats.PatternOf(format) ?? throw keys.Refuse("format", $"'{format}'");
        }
        var (min, max) = keys.Bounds("minLength", "maxLength");
        if (pattern is null)
            return _json.String(min, max);
        return min == 0 && max == int.MaxValue
            ? _json.Quoted(PatternReader.Read(_grammar, pattern))
            : throw keys.Refuse("minLength", "or maxLength together with a pattern or a format; write the length into the pattern");
    }

    private GrammarNode Integer(SchemaKeys keys)
    {
        var (low, high) = (Low(keys), High(keys));
        if (low is null && high is null)
            return _json.Integer;
        var from = low is { } l ? l.IsExcluded ? Math.Floor(l.Value) + 1 : Math.Ceiling(l.Value) : (decimal?)null;
        var to = high is { } h ? h.IsExcluded ? Math.Ceiling(h.Value) - 1 : Math.Floor(h.Value) : (decimal?)null;
        return IntegerRange.Between(_grammar, (long?)from, (long?)to);
    }

    private GrammarNode Number(SchemaKeys keys)
    {
        var (low, high) = (Low(keys), High(keys));
        if (low is null && high is null)
            return _json.Number;
        if (low is { } l && l.Value != Math.Floor(l.Value))
            throw keys.Refuse("minimum", "that is no whole number");
        if (high is { } h && h.Value != Math.Floor(h.Value))
            throw keys.Refuse("maximum", "that is no whole number");
        var parts = new List<GrammarNode>();
        if (high is null or { Value: >= 0 })
            parts.Add(Magnitude(low is { Value: >= 0 } ? low.Value : default, high));
        if (low is null or { Value: < 0 })
            parts.Add(_grammar.Sequence(_grammar.Text("-"), Magnitude(high is { Value: <= 0 } ? high.Value.Negated() : default, low?.Negated())));
        return _grammar.Choice([.. parts]);
    }

    // Numbers without a sign between two whole bounds: whole parts below the upper one may have a fraction, the bound itself none.
    private GrammarNode Magnitude(Bound low, Bound? high)
    {
        var (from, to) = ((long)low.Value, (long?)high?.Value);
        if (to < from)
            return _grammar.Nothing;
        var parts = new List<GrammarNode>
        {
            _grammar.Sequence(IntegerRange.Between(_grammar, low.IsExcluded ? from + 1 : from, to - 1), _grammar.Optional(_json.Fraction)),
        };
        if (low.IsExcluded && to != from)
            parts.Add(_grammar.Sequence(Whole(from), _json.FractionAboveZero));
        if (high is { IsExcluded: false } && !(low.IsExcluded && to == from))
            parts.Add(Whole(to!.Value));
        return _grammar.Choice([.. parts]);

        GrammarNode Whole(long value) => _grammar.Text(value.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    // Of an included and an excluded bound the narrower one counts.
    private static Bound? Low(SchemaKeys keys)
    {
        var (at, above) = (Bound.Of(keys.Take("minimum"), false), Bound.Of(keys.Take("exclusiveMinimum"), true));
        return above is null || at?.Value > above.Value.Value ? at : above;
    }

    private static Bound? High(SchemaKeys keys)
    {
        var (at, below) = (Bound.Of(keys.Take("maximum"), false), Bound.Of(keys.Take("exclusiveMaximum"), true));
        return below is null || at?.Value < below.Value.Value ? at : below;
    }

    private readonly record struct Bound(decimal Value, bool IsExcluded)
    {
        private const decimal Largest = 999_999_999_999_999_999;

        public static Bound? Of(JsonElement? value, bool isExcluded) =>
            value is { } given ? new Bound(Math.Clamp(given.GetDecimal(), -Largest, Largest), isExcluded) : null;

        public Bound Negated() => new(-Value, IsExcluded);
    }

    // "Exactly one" equals "any" where no value can be valid under two: alternatives of different types, or told apart by a constant.
    private GrammarNode OneOf(JsonElement alternatives, SchemaKeys keys)
    {
        var schemas = alternatives.EnumerateArray().ToList();
        var types = schemas.Select(s => s.ValueKind == JsonValueKind.Object && s.TryGetProperty("type", out var t) && t.ValueKind == JsonValueKind.String
            ? t.GetString() == "integer" ? "number" : t.GetString() : null).ToList();
        var told = types.All(t => t is not null) && types.Distinct().Count() == types.Count;
        if (!told)
            told = schemas.All(s => s.ValueKind == JsonValueKind.Object && s.TryGetProperty("properties", out _)) && HasDiscriminator(schemas);
        return told
            ? _grammar.Choice([.. schemas.Select((s, i) => Value(s, $"{keys.Path}/oneOf/{i}"))])
            : throw keys.Refuse("oneOf", "whose schemas are not told apart by type or by a constant property; use anyOf");
    }

    private static bool HasDiscriminator(List<JsonElement> schemas) =>
        schemas[0].GetProperty("properties").EnumerateObject().Any(p =>
        {
            var constants = schemas.Select(s =>
                s.GetProperty("properties").TryGetProperty(p.Name, out var property) && property.ValueKind == JsonValueKind.Object
                && property.TryGetProperty("const", out var value)
                && s.TryGetProperty("required", out var required) && required.EnumerateArray().Any(r => r.GetString() == p.Name)
                    ? value.GetRawText() : null).ToList();
            return constants.All(c => c is not null) && constants.Distinct().Count() == constants.Count;
        });

    private GrammarNode Reference(string reference, SchemaKeys keys)
    {
        if (_references.TryGetValue(reference, out var known))
            return known;
        var target = _root;
        if (reference != "#")
        {
            if (!reference.StartsWith("#/", StringComparison.Ordinal))
                throw keys.Refuse("$ref", $"'{reference}', which is outside the schema");
            foreach (var part in reference[2..].Split('/'))
            {
                var name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
                if (target.ValueKind != JsonValueKind.Object || !target.TryGetProperty(name, out target))
                    throw keys.Refuse("$ref", $"'{reference}', which names nothing");
            }
        }
        var rule = _references[reference] = _grammar.Rule();
        rule.Body = Value(target, reference);
        return rule;
    }
}
