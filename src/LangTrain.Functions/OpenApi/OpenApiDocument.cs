using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LangTrain.Contracts;
using LangTrain.Functions.Together;

namespace LangTrain.Functions.OpenApi;

/// <summary>The API's description, OpenAPI 3.1, made of <see cref="ApiOperations"/>, the contract records and the request readers.</summary>
internal static partial class OpenApiDocument
{
    private static readonly Lazy<byte[]> Made = new(() => Write(Build()));

    private static readonly Dictionary<int, string> ErrorWords = new()
    {
        [400] = "Something in the request is wrong: `error.param` says where, `error.errors` lists all of it.",
        [401] = "No key, or one that does not count (any more).",
        [403] = "The key lacks the scope, the account is suspended, or the thing may not be changed.",
        [404] = "It does not exist, or it is not yours.",
        [409] = "It conflicts with how things stand.",
        [413] = "The body is too large.",
        [415] = "The body's type is not known here.",
        [416] = "The file has no such range.",
        [422] = "The same Idempotency-Key came with another request.",
        [429] = "Too many requests; `Retry-After` says how many seconds to wait.",
        [500] = "The server failed; `x-request-id` names the failure.",
        [503] = "Not possible at the moment; `Retry-After` says how many seconds to wait.",
    };

    private static readonly Dictionary<string, string> ParameterWords = new(StringComparer.Ordinal)
    {
        ["modelId"] = "Id of a model. It may hold slashes and colons, as they are or escaped.",
        ["jobId"] = "Id of a fine-tune, `ftjob-…`.",
        ["fileId"] = "Id of a file, `file-…`.",
        ["uploadId"] = "Id of an upload, `upload-…`.",
        ["batchId"] = "Id of a batch, `batch_…`.",
        ["exportId"] = "Id of an export, `export-…`.",
        ["webhookId"] = "Id of a webhook, `wh-…`.",
        ["accountId"] = "Id of an account, `user-…`.",
        ["keyId"] = "Id of an API key, `key-…` (not the key itself).",
    };

    /// <summary>The document as JSON. The same through the life of the process.</summary>
    public static ReadOnlyMemory<byte> Utf8 => Made.Value;

    private static byte[] Write(JsonObject document)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            document.WriteTo(writer);
        }

        return bytes.ToArray();
    }

    private static JsonObject Build()
    {
        var schemas = new ContractSchemas(ContractWords.Load());
        var error = schemas.Refer(ApiJson.Wire.ErrorEnvelope);
        var paths = new JsonObject();
        foreach (var (tag, operation) in ApiOperations.Tags.SelectMany(tag => tag.Operations.Select(operation => (tag, operation))))
        {
            if (paths[operation.Path] is not JsonObject path)
            {
                paths[operation.Path] = path = [];
            }

            path[operation.Method.ToLowerInvariant()] = Describe(operation, tag.Name, schemas);
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject
            {
                ["title"] = "LangTrain",
                ["version"] = typeof(OpenApiDocument).Assembly.GetName().Version?.ToString(3) ?? "0",
                ["summary"] = "Fine-tune open language models and serve them.",
                ["description"] = "Bodies are JSON in snake_case. A key whose value is null reads as if it were absent; an unknown key is refused by name. "
                    + "Every answer carries `x-request-id`; those of a known key carry the `x-ratelimit-…` headers. OpenAI's official clients work with another `base_url`.",
                ["license"] = new JsonObject { ["name"] = "MIT", ["identifier"] = "MIT" },
            },
            // Relative to the document: right behind any proxy.
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/v1" }),
            ["security"] = new JsonArray(new JsonObject { ["apiKey"] = new JsonArray() }),
            ["tags"] = new JsonArray([.. ApiOperations.Tags.Select(tag => new JsonObject { ["name"] = tag.Name, ["description"] = tag.Description })]),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["apiKey"] = new JsonObject
                    {
                        ["type"] = "http", ["scheme"] = "bearer", ["description"] = "An API key. Its scopes are of `read`, `train`, `infer` and `admin`.",
                    },
                },
                ["headers"] = Headers(),
                ["responses"] = new JsonObject(ErrorWords.Select(pair => KeyValuePair.Create<string, JsonNode?>(ErrorName(pair.Key), ErrorResponse(pair.Key, pair.Value, error)))),
                ["schemas"] = schemas.Components,
            },
        };
    }

    private static JsonObject Describe(ApiOperation operation, string tag, ContractSchemas schemas)
    {
        var described = new JsonObject { ["operationId"] = operation.OperationId, ["tags"] = new JsonArray(tag), ["summary"] = operation.Summary };
        if (operation.Description is { } text)
        {
            described["description"] = text;
        }

        if (operation.IsOpen)
        {
            described["security"] = new JsonArray();
        }
        else if (operation.Scope is { } scope)
        {
            described["security"] = new JsonArray(new JsonObject { ["apiKey"] = new JsonArray(scope) });
        }

        JsonObject[] parameters =
        [
            .. RouteParameter.Matches(operation.Path).Select(match => Parameter("path", match.Groups[1].Value, """{"type":"string"}""", ParameterWords[match.Groups[1].Value])),
            .. operation.Query.Select(one => Parameter("query", one.Name, one.Schema, one.Description, one.IsDeepObject)),
        ];
        if (operation.IsIdempotent)
        {
            parameters = [.. parameters, Parameter("header", "Idempotency-Key", """{"type":"string","maxLength":255}""", "Repeating a request with the same key within 24 hours gives the first answer again instead of doing it twice.")];
        }

        if (parameters.Length > 0)
        {
            described["parameters"] = new JsonArray([.. parameters]);
        }

        if (operation.Body is { } body)
        {
            described["requestBody"] = RequestBody(operation.OperationId, body, schemas);
        }

        var responses = new JsonObject { [operation.Answer.Status.ToString(CultureInfo.InvariantCulture)] = Success(operation, schemas) };
        if (operation.GivesRanges)
        {
            var part = Success(operation, schemas);
            part["description"] = "The range that the header `Range` named.";
            responses["206"] = part;
        }

        if (operation.AlsoTogether is { } theirs)
        {
            responses["200"] = Success(operation with { Answer = ApiAnswer.Togethers(theirs) }, schemas);
        }

        if (operation.Redirects is { } where)
        {
            responses["302"] = new JsonObject
            {
                ["description"] = where, ["headers"] = new JsonObject { ["x-request-id"] = HeaderReference("x-request-id"), ["Location"] = HeaderReference("Location") },
            };
        }

        foreach (var status in operation.ErrorStatuses())
        {
            responses[status.ToString(CultureInfo.InvariantCulture)] = new JsonObject { ["$ref"] = "#/components/responses/" + ErrorName(status) };
        }

        described["responses"] = responses;
        return described;
    }

    private static JsonObject Parameter(string place, string name, string schema, string description, bool isDeepObject = false)
    {
        var parameter = new JsonObject { ["name"] = name, ["in"] = place, ["description"] = description, ["schema"] = JsonNode.Parse(schema) };
        if (place == "path")
        {
            parameter["required"] = true;
        }

        if (isDeepObject)
        {
            parameter["style"] = "deepObject";
        }

        return parameter;
    }

    private static JsonObject RequestBody(string id, ApiBody body, ContractSchemas schemas)
    {
        var schema = body.Schema();
        foreach (var (path, note) in body.Notes)
        {
            At(schema, path)["description"] = note;
        }

        foreach (var (path, type, defaults) in body.Like)
        {
            schemas.Explain(path.Length == 0 ? schema : At(schema, path), type, defaults);
        }

        schemas.Components[id + "Request"] = schema;
        var reference = new JsonObject { ["$ref"] = $"#/components/schemas/{id}Request" };
        if (body.Otherwise is var (name, other))
        {
            schemas.Components[name] = other();
            reference = new JsonObject { ["anyOf"] = new JsonArray(reference, new JsonObject { ["$ref"] = "#/components/schemas/" + name }) };
        }

        var content = new JsonObject { ["schema"] = reference };
        if (body.Example is { } example)
        {
            content["example"] = JsonNode.Parse(example);
        }

        return new JsonObject { ["required"] = !body.IsOptional, ["content"] = new JsonObject { [body.MediaType] = content } };
    }

    private static JsonObject At(JsonObject schema, string path) => path.Split('.').Aggregate(
        schema, (at, key) => at["properties"]?[key]?.AsObject() ?? throw new InvalidOperationException($"The body has no '{path}' to describe."));

    private static JsonObject Success(ApiOperation operation, ContractSchemas schemas)
    {
        var answer = operation.Answer;
        var headers = new JsonObject { ["x-request-id"] = HeaderReference("x-request-id") };
        if (!operation.IsOpen)
        {
            foreach (var name in (string[])["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"])
            {
                headers[name] = HeaderReference(name);
            }
        }

        if (answer.Status is >= 300 and < 400)
        {
            headers["Location"] = HeaderReference("Location");
        }

        var response = new JsonObject { ["description"] = answer.Description, ["headers"] = headers };
        if (answer.MediaType is { } media)
        {
            var content = new JsonObject
            {
                [media] = new JsonObject { ["schema"] = answer.Type is { } type ? schemas.Of(type) : new JsonObject { ["type"] = media == "application/json" ? "object" : "string" } },
            };
            if (answer.Events is { } events)
            {
                // OpenAPI 3.1 has no word for the items of a stream (3.2 calls it itemSchema), and no reference may stand where it knows none: a plain pointer.
                content["text/event-stream"] = new JsonObject
                {
                    ["schema"] = new JsonObject { ["type"] = "string", ["description"] = "Server-sent events; the data of each is one JSON object of the type named beside." },
                    ["x-item-schema"] = schemas.Refer(events)["$ref"]!.DeepClone(),
                };
            }

            if (answer.Together is { } theirs)
            {
                content[TogetherClient.MediaType] = new JsonObject { ["schema"] = schemas.Of(theirs) };
            }

            response["content"] = content;
        }

        return response;
    }

    private static string ErrorName(int status) => "Error" + status.ToString(CultureInfo.InvariantCulture);

    private static JsonObject ErrorResponse(int status, string description, JsonObject error)
    {
        var headers = new JsonObject { ["x-request-id"] = HeaderReference("x-request-id") };
        if (status is 429 or 503)
        {
            headers["Retry-After"] = HeaderReference("Retry-After");
        }

        return new JsonObject
        {
            ["description"] = description,
            ["headers"] = headers,
            ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = error.DeepClone() } },
        };
    }

    private static JsonObject HeaderReference(string name) => new() { ["$ref"] = "#/components/headers/" + name };

    private static JsonObject Headers()
    {
        var headers = new JsonObject();
        foreach (var (name, type, description) in ((string, string, string)[])
        [
            ("x-request-id", "string", "Names this request in the server's logs."),
            ("x-ratelimit-limit-requests", "integer", "Requests that the tighter window allows."),
            ("x-ratelimit-remaining-requests", "integer", "Requests left in it."),
            ("x-ratelimit-reset-requests", "string", "Time until it begins anew, such as `6m0s`."),
            ("Retry-After", "integer", "Seconds to wait, at least 1."),
            ("Location", "string", "Where to go."),
        ])
        {
            headers[name] = new JsonObject { ["description"] = description, ["schema"] = new JsonObject { ["type"] = type } };
        }

        return headers;
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex RouteParameter { get; }
}
