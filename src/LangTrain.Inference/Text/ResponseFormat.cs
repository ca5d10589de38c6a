using System.Text.Json;

namespace LangTrain.Inference;

/// <summary>The form that an answer must have. The tokens that would leave it are masked, so an answer that ends by itself is always valid.</summary>
/// <param name="Schema">The JSON schema of the answer; null is any JSON object.</param>
public sealed record ResponseFormat(JsonElement? Schema)
{
    /// <summary>Any JSON object.</summary>
    public static ResponseFormat JsonObject { get; } = new((JsonElement?)null);

    /// <summary>A value that the schema describes.</summary>
    /// <param name="schema">JSON Schema; what is not supported is refused by name when the request is made.</param>
    public static ResponseFormat JsonSchema(JsonElement schema) => new(schema);
}
