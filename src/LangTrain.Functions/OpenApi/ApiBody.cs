using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using LangTrain.Core.Http;

namespace LangTrain.Functions.OpenApi;

/// <summary>The body that an operation takes.</summary>
/// <param name="MediaType">Its type.</param>
/// <param name="Schema">Makes its JSON Schema.</param>
/// <param name="Example">A body that works, JSON; null for forms.</param>
internal sealed record ApiBody(string MediaType, Func<JsonObject> Schema, string? Example)
{
    /// <summary>Records whose properties are described as the body's of the same name: where in the body, what record, and its defaults or null.</summary>
    public IReadOnlyList<(string Path, JsonTypeInfo Type, JsonObject? Defaults)> Like { get; init; } = [];

    /// <summary>Descriptions of properties by their path; they win over those of <see cref="Like"/>.</summary>
    public IReadOnlyDictionary<string, string> Notes { get; init; } = new Dictionary<string, string>();

    /// <summary>Another shape that the body may have instead: its schema's name, and what makes it.</summary>
    public (string Name, Func<JsonObject> Schema)? Otherwise { get; init; }

    /// <summary>Whether a request may come without one.</summary>
    public bool IsOptional { get; init; }

    /// <summary>JSON, described by the very reader that checks it.</summary>
    public static ApiBody Read(Action<RequestObject> reader, string example) => new("application/json", () => RequestShape.Of(reader), example);

    /// <summary>JSON that no reader describes.</summary>
    public static ApiBody Json(string schema, string example) => new("application/json", () => JsonNode.Parse(schema)!.AsObject(), example);

    /// <summary>A multipart form.</summary>
    public static ApiBody Form(string schema) => new("multipart/form-data", () => JsonNode.Parse(schema)!.AsObject(), null);
}
