using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.OpenApi;

/// <summary>The API's description for programs. Open to anybody.</summary>
public sealed class OpenApiHttpFunctions
{
    /// <summary><c>GET /openapi.json</c>: OpenAPI 3.1.</summary>
    [Function(FunctionNames.OpenApi)]
    public static IResult GetOpenApi([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "openapi.json")] HttpRequest request)
    {
        var headers = request.HttpContext.Response.Headers;
        headers.CacheControl = "no-cache";
        // Pages of other origins render and try it as well; nothing here is anybody's own.
        headers.AccessControlAllowOrigin = "*";
        return TypedResults.Bytes(OpenApiDocument.Utf8, "application/json");
    }
}
