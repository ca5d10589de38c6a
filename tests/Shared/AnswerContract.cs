using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Json.Schema;

namespace LangTrain.Testing;

/// <summary>Holds answers against the API's own description: the path, the status, the type and the whole body, with no field more than is described. Thread-safe.</summary>
internal sealed class AnswerContract
{
    private readonly List<(string Template, Regex Path, string Method, JsonObject Operation)> _operations = [];
    private readonly JsonObject _document;
    private readonly Dictionary<string, JsonSchema> _schemas = [];

    public AnswerContract(JsonObject document)
    {
        _document = document;
        foreach (var (path, methods) in document["paths"]!.AsObject())
        {
            // A model's id spans slashes; every other parameter is one part.
            var pattern = new Regex("^" + Regex.Replace(Regex.Escape(path.Trim('/')), @"\\\{(\w+)}", match => match.Groups[1].Value == "modelId" ? ".+" : "[^/]+") + "$", RegexOptions.CultureInvariant);
            foreach (var (method, operation) in methods!.AsObject())
            {
                _operations.Add((path, pattern, method.ToUpperInvariant(), operation!.AsObject()));
            }
        }

        // Records may grow for clients; here a field that nobody described is a fault.
        Close(document["components"]!["schemas"]!);
    }

    /// <summary>What differs from the description; null where nothing does.</summary>
    /// <param name="method">Method of the request.</param>
    /// <param name="path">Path below the base, without a leading slash and query.</param>
    /// <param name="status">Status of the answer.</param>
    /// <param name="mediaType">Its type, or null.</param>
    /// <param name="body">Its body where it is JSON, else null.</param>
    public string? Problem(string method, string path, int status, string? mediaType, string? body)
    {
        if (status >= 400 && Find(method, path) is null)
        {
            return Invalid(new JsonObject { ["$ref"] = "#/components/schemas/ErrorEnvelope" }, body);
        }

        if (Find(method, path) is not { } operation)
        {
            return "the description has no such operation";
        }

        var code = status.ToString(CultureInfo.InvariantCulture);
        if (operation["responses"]![code] is not JsonObject response)
        {
            return $"{operation["operationId"]} does not describe the status {code}";
        }

        if (response["$ref"] is { } reference)
        {
            response = _document["components"]!["responses"]![reference.GetValue<string>().Split('/')[^1]]!.AsObject();
        }

        if (response["content"] is not JsonObject content)
        {
            return mediaType is null ? null : $"{operation["operationId"]} describes no body with {code}, but there is {mediaType}";
        }

        if (mediaType is null || content[mediaType] is not { } described)
        {
            return $"{operation["operationId"]} does not describe {mediaType ?? "an empty body"} with {code}";
        }

        return body is null ? null : Invalid(described["schema"]!.AsObject(), body);
    }

    /// <summary>What of an example of the description's own does not fit its schema; null where it fits.</summary>
    public string? ProblemOfBody(string schemaName, string body) => Invalid(new JsonObject { ["$ref"] = "#/components/schemas/" + schemaName }, body);

    private JsonObject? Find(string method, string path)
    {
        // A fixed word is meant before a parameter.
        return _operations
            .Where(one => one.Method == method && one.Path.IsMatch(path.Trim('/')))
            .OrderByDescending(one => one.Template.Split('/').Count(part => part.Length > 0 && part[0] != '{')).ThenByDescending(one => one.Template.Length)
            .Select(one => one.Operation).FirstOrDefault();
    }

    private string? Invalid(JsonObject schema, string? body)
    {
        if (body is null)
        {
            return "a JSON body is described, but there is none";
        }

        JsonElement instance;
        try
        {
            instance = JsonElement.Parse(body);
        }
        catch (JsonException)
        {
            return "the body is not JSON";
        }

        JsonSchema compiled;
        lock (_schemas)
        {
            var key = schema.ToJsonString();
            if (!_schemas.TryGetValue(key, out compiled!))
            {
                var whole = schema.DeepClone().AsObject();
                whole["$schema"] = "https://json-schema.org/draft/2020-12/schema";
                whole["$defs"] = _document["components"]!["schemas"]!.DeepClone();
                _schemas[key] = compiled = JsonSchema.FromText(whole.ToJsonString().Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal));
            }
        }

        var result = compiled.Evaluate(instance, new EvaluationOptions { OutputFormat = OutputFormat.List, RequireFormatValidation = true });
        return result.IsValid ? null : string.Join("; ", (result.Details ?? [])
            .SelectMany(detail => (detail.Errors ?? new Dictionary<string, string>()).Select(error => $"{detail.InstanceLocation}: {error.Value}")).Distinct().Take(10));
    }

    private static void Close(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject one:
                if (one["properties"] is JsonObject && !one.ContainsKey("additionalProperties"))
                {
                    one["additionalProperties"] = false;
                }

                foreach (var (_, inner) in one)
                {
                    Close(inner);
                }

                break;
            case JsonArray many:
                foreach (var inner in many)
                {
                    Close(inner);
                }

                break;
        }
    }
}
