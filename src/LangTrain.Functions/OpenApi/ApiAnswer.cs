using System.Text.Json.Serialization.Metadata;
using LangTrain.Functions.Together;

namespace LangTrain.Functions.OpenApi;

/// <summary>What a success answers.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Description">A few words.</param>
/// <param name="MediaType">Type of the body; null where there is none.</param>
/// <param name="Type">Record of a JSON body, or of each event of a stream; null for other bodies.</param>
internal sealed record ApiAnswer(int Status, string Description, string? MediaType, JsonTypeInfo? Type)
{
    /// <summary>The record of each event where the request may ask for a stream of server-sent events instead.</summary>
    public JsonTypeInfo? Events { get; init; }

    /// <summary>The record of the same answer in the together-ai client's shape; null where there is none.</summary>
    public JsonTypeInfo? Together { get; init; }

    /// <summary>200 with JSON.</summary>
    public static ApiAnswer Json(JsonTypeInfo type, string description = "Success.") => new(200, description, "application/json", type);

    /// <summary>200 with JSON, or with a stream of server-sent events where that is asked for.</summary>
    public static ApiAnswer JsonOrEvents(JsonTypeInfo type, JsonTypeInfo events, string description = "Success.") => Json(type, description) with { Events = events };

    /// <summary>The same, for the together-ai client in its own shape.</summary>
    public ApiAnswer OrTogethers(JsonTypeInfo type) => this with { Together = type };

    /// <summary>200 in the together-ai client's shape for everybody.</summary>
    public static ApiAnswer Togethers(JsonTypeInfo type) => new(200, "Success.", TogetherClient.MediaType, type);

    /// <summary>200 with something else.</summary>
    public static ApiAnswer Other(string mediaType, string description) => new(200, description, mediaType, null);

    /// <summary>204, or a redirection.</summary>
    public static ApiAnswer Empty(int status, string description) => new(status, description, null, null);
}
