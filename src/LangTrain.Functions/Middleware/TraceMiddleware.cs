using System.Diagnostics;
using LangTrain.Core.Observability;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace LangTrain.Functions.Middleware;

/// <summary>One span a function call, in the trace that the call belongs to. Around everything else.</summary>
internal sealed class TraceMiddleware : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        // A client's traceparent reaches the host, which hands it over; inside the process the ambient span is nearer.
        var parent = Activity.Current?.Context
            ?? (ActivityContext.TryParse(context.TraceContext.TraceParent, context.TraceContext.TraceState, isRemote: true, out var remote) ? remote : default);
        using var span = JobTrace.Source.StartActivity(context.FunctionDefinition.Name, context.GetHttpContext() is null ? ActivityKind.Internal : ActivityKind.Server, parent);
        span?.SetTag("faas.invocation_id", context.InvocationId);
        try
        {
            await next(context);
        }
        catch (Exception failure)
        {
            span.Fail(failure);
            throw;
        }
        finally
        {
            if (span is not null && context.GetHttpContext() is { } http)
            {
                // The path without its query: keys and tickets may stand there.
                span.SetTag("http.request.method", http.Request.Method).SetTag("url.path", http.Request.Path.Value)
                    .SetTag("http.response.status_code", http.Response.StatusCode).SetTag("langtrain.request_id", http.TraceIdentifier);
            }
        }
    }
}
