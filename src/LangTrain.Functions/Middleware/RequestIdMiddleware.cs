using LangTrain.Core;
using LangTrain.Functions.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Logging;

namespace LangTrain.Functions.Middleware;

/// <summary>Gives every request an id: the client's <c>x-request-id</c> where it is a sane one, else a new one. Outermost.</summary>
internal sealed class RequestIdMiddleware(TimeProvider time, ILogger<RequestIdMiddleware> logger) : IFunctionsWorkerMiddleware
{
    private const string Header = "x-request-id";
    private const int MaxLength = 128;

    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext() is not { } http)
        {
            await next(context);
            return;
        }

        var given = http.Request.Headers[Header].ToString();
        http.TraceIdentifier = IsSane(given) ? given : Ids.New("req", time);
        http.Response.Headers[Header] = http.TraceIdentifier;
        http.Response.Headers.XContentTypeOptions = "nosniff";
        CrossOrigin.Allow(http);
        using (logger.BeginScope(new KeyValuePair<string, object>[] { new("request_id", http.TraceIdentifier) }))
        {
            await next(context);
        }
    }

    // It is written to logs and headers: nothing that could break out of a line there.
    private static bool IsSane(string id) =>
        id.Length is > 0 and <= MaxLength && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':');
}
