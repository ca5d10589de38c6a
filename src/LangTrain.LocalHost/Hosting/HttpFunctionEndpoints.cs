using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LangTrain.LocalHost.Hosting;

/// <summary>
/// HTTP functions as endpoints. The more exact route wins (literal, parameter, catch-all), and a method that the exact one does not
/// take goes on to the next: so a catch-all function answers whatever no other function takes, as it does on Azure.
/// </summary>
internal sealed class HttpFunctionEndpoints(
    FunctionPipeline pipeline, RequestGate gate, IHostApplicationLifetime lifetime, ILogger<HttpFunctionEndpoints> logger)
{
    /// <summary>Maps every HTTP function under the route prefix.</summary>
    public void Map(IEndpointRouteBuilder endpoints, FunctionCatalog catalog, string routePrefix)
    {
        foreach (var (function, trigger) in catalog.With<HttpFunctionTrigger>())
        {
            var route = routePrefix.Length == 0 ? trigger.Route : $"{routePrefix}/{trigger.Route}";
            RequestDelegate handler = http => HandleAsync(function, http);
            var endpoint = trigger.Methods is { } methods
                ? endpoints.MapMethods(route, methods.Select(method => method.ToUpperInvariant()), handler)
                : endpoints.Map(route, handler);
            endpoint.WithDisplayName(function.Name);
        }
    }

    private async Task HandleAsync(LocalFunction function, HttpContext http)
    {
        using var entry = await gate.EnterAsync(http.RequestAborted);
        if (entry is null)
        {
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            http.Response.Headers.RetryAfter = "1";
            return;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        var data = http.Request.RouteValues.ToDictionary(pair => pair.Key, pair => pair.Value);
        var context = new LocalFunctionContext(function, http.Request, data, http.RequestServices, 0, 0, ending.Token);
        context.Items[FunctionContextExtensions.HttpContextKey] = http;
        try
        {
            await pipeline.RunAsync(context);
            // After all middleware, so that each of them may still look at the result or replace it.
            if (context.Result is IResult result)
            {
                await result.ExecuteAsync(http);
            }
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone; nobody reads an answer.
        }
        catch (Exception failure)
        {
            logger.FunctionFailed(failure, function.Name, context.InvocationId);
            Fail(http, failure);
        }
    }

    private static void Fail(HttpContext http, Exception failure)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        http.Response.Clear();
        http.Response.StatusCode = failure is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError;
    }
}
