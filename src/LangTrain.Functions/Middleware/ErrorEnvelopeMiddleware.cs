using LangTrain.Core.Errors;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Logging;

namespace LangTrain.Functions.Middleware;

/// <summary>Turns every failure of an HTTP function into the error envelope; what is not an <see cref="ApiException"/> shows a request id and no more.</summary>
/// <remarks>
/// The function's result is executed here, not by the host after all middleware: so an error while an answer is being written is caught as well.
/// The host then gets an empty result.
/// </remarks>
internal sealed class ErrorEnvelopeMiddleware(ILogger<ErrorEnvelopeMiddleware> logger) : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext() is not { } http)
        {
            await next(context);
            return;
        }

        try
        {
            await next(context);
            if (context.GetInvocationResult().Value is IResult result)
            {
                await result.ExecuteAsync(http);
            }
        }
        catch (Exception e) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to read an answer. Whatever was thrown is most likely the cancellation itself.
            logger.ClientWentAway(context.FunctionDefinition.Name, e.GetType().Name);
        }
        catch (Exception e)
        {
            await AnswerAsync(context, http, e);
        }

        context.GetInvocationResult().Value = EmptyHttpResult.Instance;
    }

    private async Task AnswerAsync(FunctionContext context, HttpContext http, Exception thrown)
    {
        var error = Failure.ToApi(thrown, http.TraceIdentifier);
        if (error.Status >= 500)
        {
            logger.RequestFailed(thrown, context.FunctionDefinition.Name, http.TraceIdentifier);
        }

        if (http.Response.HasStarted)
        {
            // A half answer must not look like a whole one.
            http.Abort();
            return;
        }

        http.Response.Headers.Remove("Content-Length");
        http.Response.Headers.Remove("Content-Type");
        await new ErrorResult(error).ExecuteAsync(http);
    }
}
