using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LangTrain.Core.Errors;

namespace LangTrain.Core.Http;

/// <summary>An object of a request's JSON, read key by key; every reading names the key as known, and every fault is noted with its path.</summary>
/// <remarks>
/// <para>A key that is absent and a key that is null read alike: null. After a fault the reading gives null (or an empty stand-in where the value is
/// required) and goes on, so that all faults are found; nothing may be done with the values before <see cref="RequestProblems.ThrowIfAny"/>.</para>
/// <para>Not thread-safe.</para>
/// </remarks>
public sealed class RequestObject
{
    private static readonly JsonElement Nothing = JsonElement.Parse("{}"u8);

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    // Set while a reader is asked what it reads, instead of reading.
    private readonly RequestShape? _shape;

    /// <summary>A view of an object; <paramref name="path"/> is empty for the body.</summary>
    public RequestObject(JsonElement element, string path, RequestProblems problems)
    {
        Element = element;
        Path = path;
        Problems = problems;
    }

    internal RequestObject(RequestShape shape, string path, RequestProblems problems)
        : this(Nothing, path, problems) => _shape = shape;

    /// <summary>The object as it came.</summary>
    public JsonElement Element { get; }

    /// <summary>Where it stands in the body: empty, or <c>config.lora_config</c>.</summary>
    public string Path { get; }

    /// <summary>What is wrong so far; shared by all objects of one body.</summary>
    public RequestProblems Problems { get; }

    /// <summary>Path of a key of this object.</summary>
    public string At(string key) => Path.Length == 0 ? key : Path + "." + key;

    /// <summary>The value of a key; null where it is absent or null.</summary>
    public JsonElement? Find(string key)
    {
        _known.Add(key);
        _shape?.Note(key);
        return Element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>Whether a key is there and not null.</summary>
    public bool Has(string key) => Find(key) is not null || _shape is { IsPresent: true };

    /// <summary>Says, for <see cref="RequestShape"/>, what a key takes that no single call here tells: one of several types, elements of an array.</summary>
    /// <param name="key">The key.</param>
    /// <param name="jsonSchema">JSON Schema of the value.</param>
    /// <param name="mayBeAbsent">For a key that is missed in some requests only.</param>
    public void Takes(string key, string jsonSchema, bool mayBeAbsent = false) =>
        _shape?.Say(key, JsonNode.Parse(jsonSchema)!.AsObject(), mayBeAbsent);

    /// <summary>A text.</summary>
    /// <param name="key">The key.</param>
    /// <param name="maxLength">Most UTF-16 units.</param>
    /// <param name="minLength">Fewest UTF-16 units.</param>
    public string? Text(string key, int maxLength = int.MaxValue, int minLength = 0)
    {
        _shape?.Note(key, Schema("string", "Length", minLength, maxLength));
        if (Find(key) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            return WrongType<string>(key, "a string", value);
        }

        var text = value.GetString()!;
        if (text.Length < minLength || text.Length > maxLength)
        {
            var allowed = maxLength == int.MaxValue ? $"at least {minLength}" : $"{minLength} to {maxLength}";
            Problems.Add(At(key), $"{At(key)} must have {allowed} characters, not {text.Length}.");
            return null;
        }

        return text;
    }

    /// <summary>A text that must be there and not be empty; empty after a fault.</summary>
    public string RequireText(string key, int maxLength = int.MaxValue)
    {
        _shape?.Note(key, Schema("string", "Length", 1, maxLength), isRequired: true);
        if (!Has(key))
        {
            Missing(key);
            return "";
        }

        return Text(key, maxLength, 1) ?? "";
    }

    /// <summary>A whole number in a range, both ends allowed. 4.0 is whole.</summary>
    public long? Integer(string key, long min, long max)
    {
        if (_shape is not null)
        {
            var schema = new JsonObject { ["type"] = "integer" };
            // The ends of the type are no bounds that anybody has to know.
            if (min != long.MinValue)
            {
                schema["minimum"] = min;
            }

            if (max != long.MaxValue)
            {
                schema["maximum"] = max;
            }

            _shape.Note(key, schema);
        }

        if (Find(key) is not { } value)
        {
            return null;
        }

        var allowed = string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}");
        if (value.ValueKind != JsonValueKind.Number)
        {
            return WrongType<long?>(key, allowed, value);
        }

        // Beyond 2^53 a double names several whole numbers; only plain digits say which is meant.
        var whole = value.TryGetInt64(out var number)
            || (value.TryGetDouble(out var real) && real == Math.Floor(real) && Math.Abs(real) <= 1L << 53 && (number = (long)real) == real);
        if (!whole || number < min || number > max)
        {
            Problems.Add(At(key), $"{At(key)} must be {allowed}, not {ApiErrors.Shorten(value.GetRawText())}.");
            return null;
        }

        return number;
    }

    /// <summary>As <see cref="Integer"/>, within 32 bits.</summary>
    public int? Int32(string key, int min, int max) => (int?)Integer(key, min, max);

    /// <summary>A number in a range.</summary>
    /// <param name="key">The key.</param>
    /// <param name="min">Least value.</param>
    /// <param name="max">Greatest value, allowed itself unless <paramref name="excludeMax"/>.</param>
    /// <param name="excludeMin">Whether <paramref name="min"/> itself is not allowed.</param>
    /// <param name="excludeMax">Whether <paramref name="max"/> itself is not allowed.</param>
    public double? Number(string key, double min, double max, bool excludeMin = false, bool excludeMax = false)
    {
        _shape?.Note(key, new JsonObject
        {
            ["type"] = "number", [excludeMin ? "exclusiveMinimum" : "minimum"] = min, [excludeMax ? "exclusiveMaximum" : "maximum"] = max,
        });
        if (Find(key) is not { } value)
        {
            return null;
        }

        var allowed = string.Create(
            CultureInfo.InvariantCulture, $"a number {(excludeMin ? "above" : "from")} {min} {(excludeMax ? "and below" : "to")} {max}");
        if (value.ValueKind != JsonValueKind.Number)
        {
            return WrongType<double?>(key, allowed, value);
        }

        var number = value.GetDouble();
        if (number < min || number > max || (excludeMin && number <= min) || (excludeMax && number >= max))
        {
            Problems.Add(At(key), $"{At(key)} must be {allowed}, not {ApiErrors.Shorten(value.GetRawText())}.");
            return null;
        }

        return number;
    }

    /// <summary>True or false.</summary>
    public bool? Flag(string key)
    {
        _shape?.Note(key, new JsonObject { ["type"] = "boolean" });
        return Find(key) switch
        {
            null => null,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            { } other => WrongType<bool?>(key, "true or false", other),
        };
    }

    /// <summary>One of a few words.</summary>
    public string? OneOf(string key, params IReadOnlyList<string> allowed)
    {
        _shape?.Note(key, new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. allowed.Select(word => (JsonNode)word)]) });
        if (Find(key) is not { } value)
        {
            return null;
        }

        var choices = string.Join(", ", allowed.Select(word => $"'{word}'"));
        if (value.ValueKind != JsonValueKind.String)
        {
            return WrongType<string>(key, "one of " + choices, value);
        }

        var text = value.GetString()!;
        if (!allowed.Contains(text))
        {
            Problems.Add(At(key), $"{At(key)} must be one of {choices}, not '{ApiErrors.Shorten(text)}'.");
            return null;
        }

        return text;
    }

    /// <summary>An object.</summary>
    public RequestObject? Object(string key)
    {
        if (_shape is not null)
        {
            return new RequestObject(_shape.Inner(key), At(key), Problems);
        }

        return Find(key) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Object } value => new RequestObject(value, At(key), Problems),
            { } other => WrongType<RequestObject>(key, "an object", other),
        };
    }

    /// <summary>The elements of an array.</summary>
    public IReadOnlyList<JsonElement>? Items(string key, int maxCount = int.MaxValue, int minCount = 0)
    {
        _shape?.Note(key, Schema("array", "Items", minCount, maxCount));
        if (Find(key) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return WrongType<IReadOnlyList<JsonElement>>(key, "an array", value);
        }

        var count = value.GetArrayLength();
        if (count > maxCount || count < minCount)
        {
            var allowed = maxCount == int.MaxValue ? $"at least {minCount}" : $"{minCount} to {maxCount}";
            Problems.Add(At(key), $"{At(key)} must have {allowed} elements, not {count}.");
            return null;
        }

        return [.. value.EnumerateArray()];
    }

    /// <summary>The elements of an array that must all be objects.</summary>
    public IReadOnlyList<RequestObject>? Objects(string key, int maxCount = int.MaxValue, int minCount = 0)
    {
        if (_shape is not null)
        {
            return [new RequestObject(_shape.Inner(key, Schema("array", "Items", minCount, maxCount)), At(key) + "[0]", Problems)];
        }

        if (Items(key, maxCount, minCount) is not { } items)
        {
            return null;
        }

        var objects = new List<RequestObject>(items.Count);
        for (var i = 0; i < items.Count; i++)
        {
            var path = $"{At(key)}[{i}]";
            if (items[i].ValueKind == JsonValueKind.Object)
            {
                objects.Add(new RequestObject(items[i], path, Problems));
            }
            else
            {
                Problems.Add(path, $"{path} must be an object, not {NameOf(items[i])}.", "invalid_type");
            }
        }

        return objects;
    }

    /// <summary>The elements of an array that must all be strings.</summary>
    public IReadOnlyList<string>? Texts(string key, int maxCount = int.MaxValue, int maxLength = int.MaxValue, int minCount = 0)
    {
        if (_shape is not null)
        {
            var schema = Schema("array", "Items", minCount, maxCount);
            schema["items"] = Schema("string", "Length", 0, maxLength);
            _shape.Note(key, schema);
        }

        if (Items(key, maxCount, minCount) is not { } items)
        {
            return null;
        }

        var texts = new List<string>(items.Count);
        for (var i = 0; i < items.Count; i++)
        {
            var path = $"{At(key)}[{i}]";
            if (items[i].ValueKind != JsonValueKind.String)
            {
                Problems.Add(path, $"{path} must be a string, not {NameOf(items[i])}.", "invalid_type");
            }
            else if (items[i].GetString() is { } text && text.Length <= maxLength)
            {
                texts.Add(text);
            }
            else
            {
                Problems.Add(path, $"{path} must have at most {maxLength} characters.");
            }
        }

        return texts;
    }

    /// <summary>Notes that a key which must be there is not.</summary>
    public void Missing(string key)
    {
        _shape?.Note(key, isRequired: true);
        Problems.Add(At(key), $"{At(key)} is required.", "missing_required_parameter");
    }

    /// <summary>Notes every key that was never asked for, with the nearest known one. Call it when all keys have been read.</summary>
    public void RefuseUnknownKeys()
    {
        _shape?.IsClosed = true;
        foreach (var property in Element.EnumerateObject())
        {
            if (_known.Contains(property.Name))
            {
                continue;
            }

            var path = ApiErrors.Shorten(At(property.Name));
            var nearest = NearestWord.Find(property.Name, _known);
            Problems.Add(path, $"{path} is not a known parameter{(nearest is null ? "." : $"; did you mean '{nearest}'?")}", "unknown_parameter");
        }
    }

    /// <summary>What a value is, for messages.</summary>
    public static string NameOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };

    private static JsonObject Schema(string type, string what, int least, int most)
    {
        var schema = new JsonObject { ["type"] = type };
        if (least > 0)
        {
            schema["min" + what] = least;
        }

        if (most != int.MaxValue)
        {
            schema["max" + what] = most;
        }

        return schema;
    }

    private T? WrongType<T>(string key, string expected, JsonElement value)
    {
        Problems.Add(At(key), $"{At(key)} must be {expected}, not {NameOf(value)}.", "invalid_type");
        return default;
    }
}
