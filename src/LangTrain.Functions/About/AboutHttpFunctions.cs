using LangTrain.Contracts;
using LangTrain.Core.Errors;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace LangTrain.Functions.About;

/// <summary>Whether the service is there, and what is not.</summary>
public sealed class AboutHttpFunctions
{
    private static readonly string Version = typeof(AboutHttpFunctions).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary><c>GET /health</c>: 200 while the app answers. Open to anybody.</summary>
    [Function(FunctionNames.Health)]
    public static IResult GetHealth([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health")] HttpRequest request) =>
        Answer.Json(new HealthAnswer("ok", Version), ApiJson.Wire.HealthAnswer);

    /// <summary>Every path without a function: 404, or 405 where the path knows other methods; what these are is told to OPTIONS.</summary>
    [Function(FunctionNames.Unknown)]
    public static IResult GetUnknown(
        [HttpTrigger(AuthorizationLevel.Anonymous, Route = "{*path}")] HttpRequest request, string? path)
    {
        var methods = RouteCatalog.MethodsOf(path ?? "");
        if (methods.Count > 0 && HttpMethods.IsOptions(request.Method))
        {
            return CrossOrigin.Preflight(request, methods);
        }

        throw methods.Count == 0
            ? ApiErrors.UnknownPath(request.Method, request.Path)
            : ApiErrors.MethodNotAllowed(request.Method, request.Path, string.Join(", ", methods));
    }
}
