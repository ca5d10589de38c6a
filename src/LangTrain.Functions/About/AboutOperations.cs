using LangTrain.Contracts;
using LangTrain.Functions.Http;
using LangTrain.Functions.OpenApi;

namespace LangTrain.Functions.About;

/// <summary>Describes the endpoints about the service itself.</summary>
internal static class AboutOperations
{
    /// <summary>The feature.</summary>
    public static ApiTag Tag { get; } = new("About", "The service itself.",
        new ApiOperation("GET", "health", FunctionNames.Health, "Says that the service answers.", ApiAnswer.Json(ApiJson.Wire.HealthAnswer)),
        new ApiOperation("GET", "openapi.json", FunctionNames.OpenApi, "Gives this description.", new ApiAnswer(200, "OpenAPI 3.1.", "application/json", null)),
        new ApiOperation("GET", "docs", FunctionNames.Docs, "Shows this description to people.", ApiAnswer.Other("text/html", "A page.")));
}
