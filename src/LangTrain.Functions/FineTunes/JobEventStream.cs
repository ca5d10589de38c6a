using System.Globalization;
using System.Text;
using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace LangTrain.Functions.FineTunes;

/// <summary>Answers with a job's events as server-sent events whose <c>id</c> is the sequence number, so that a browser goes on where it was.</summary>
internal sealed class JobEventStream(Func<CancellationToken, IAsyncEnumerable<JobEvent>> events) : IResult
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        httpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var response = httpContext.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache, no-transform";
        response.Headers["X-Accel-Buffering"] = "no";
        await response.StartAsync(httpContext.RequestAborted);
        try
        {
            await SendAsync(httpContext, response);
        }
        catch (Exception e) when (!httpContext.RequestAborted.IsCancellationRequested)
        {
            await StreamFailure.WriteAsync(httpContext, e);
        }
    }

    private async Task SendAsync(HttpContext httpContext, HttpResponse response)
    {
        await using var source = events(httpContext.RequestAborted).GetAsyncEnumerator(httpContext.RequestAborted);
        while (true)
        {
            var next = source.MoveNextAsync().AsTask();
            while (await Task.WhenAny(next, Task.Delay(Silence, httpContext.RequestAborted)) != next && !httpContext.RequestAborted.IsCancellationRequested)
            {
                await WriteAsync(response, ": keep-alive\n\n", httpContext.RequestAborted);
            }

            if (!await next)
            {
                return;
            }

            var told = source.Current;
            await WriteAsync(
                response,
                string.Create(CultureInfo.InvariantCulture, $"id: {told.Sequence}\nevent: {told.Type}\ndata: {JsonSerializer.Serialize(told, ApiJson.Wire.JobEvent)}\n\n"),
                httpContext.RequestAborted);
        }
    }

    private static async Task WriteAsync(HttpResponse response, string text, CancellationToken cancellation)
    {
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancellation);
        await response.Body.FlushAsync(cancellation);
    }
}
