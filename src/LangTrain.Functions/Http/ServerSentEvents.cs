using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LangTrain.Functions.Http;

/// <summary>Answers with a stream of JSON chunks as server-sent events.</summary>
/// <remarks>
/// <para>Nothing is sent before the first chunk is there (or <see cref="Patience"/> has passed), so what fails by then has its own status. What fails later
/// is an <c>error</c> event, after which the stream closes.</para>
/// <para>The end mark is <c>data:[DONE]</c> without a space: OpenAI's clients accept it, and readers that parse every <c>data: </c> line as JSON do
/// not stumble over it.</para>
/// </remarks>
/// <param name="chunks">The chunks; the enumeration is left as soon as the client is gone.</param>
/// <param name="type">How a chunk is written.</param>
internal sealed class ServerSentEvents<T>(Func<CancellationToken, IAsyncEnumerable<T>> chunks, JsonTypeInfo<T> type) : IResult
{
    /// <summary>Silence after which a comment is sent, so that no proxy on the way takes the connection for dead.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var time = httpContext.RequestServices.GetRequiredService<TimeProvider>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted);
        var source = chunks(stop.Token).GetAsyncEnumerator(stop.Token);
        Task<bool>? next = null;
        try
        {
            next = source.MoveNextAsync().AsTask();
            if (!await ComesInTimeAsync(next, time, stop.Token))
            {
                await BeginAsync(httpContext, stop.Token);
                await CommentAsync(httpContext.Response, stop.Token);
            }
            else
            {
                // A failure before the first chunk is thrown here, with nothing sent yet.
                await next;
                await BeginAsync(httpContext, stop.Token);
            }

            while (true)
            {
                while (!await ComesInTimeAsync(next, time, stop.Token))
                {
                    await CommentAsync(httpContext.Response, stop.Token);
                }

                if (!await next)
                {
                    break;
                }

                await WriteAsync(httpContext.Response, source.Current, stop.Token);
                next = source.MoveNextAsync().AsTask();
            }

            await httpContext.Response.Body.WriteAsync("data:[DONE]\n\n"u8.ToArray(), stop.Token);
            await httpContext.Response.Body.FlushAsync(stop.Token);
        }
        catch (Exception e) when (httpContext.Response.HasStarted && !httpContext.RequestAborted.IsCancellationRequested)
        {
            await StreamFailure.WriteAsync(httpContext, e);
        }
        finally
        {
            // An enumerator may not be disposed while a step of it runs.
            await stop.CancelAsync();
            await Quietly(next);
            await source.DisposeAsync();
        }
    }

    private static async Task BeginAsync(HttpContext http, CancellationToken cancellation)
    {
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var headers = http.Response.Headers;
        headers.ContentType = "text/event-stream; charset=utf-8";
        headers.CacheControl = "no-cache, no-transform";
        headers["X-Accel-Buffering"] = "no";
        await http.Response.StartAsync(cancellation);
    }

    private static async Task<bool> ComesInTimeAsync(Task<bool> next, TimeProvider time, CancellationToken cancellation)
    {
        try
        {
            await next.WaitAsync(Patience, time, cancellation);
            return true;
        }
        catch (TimeoutException) when (!next.IsCompleted)
        {
            return false;
        }
    }

    private static async Task CommentAsync(HttpResponse response, CancellationToken cancellation)
    {
        await response.Body.WriteAsync(": keep-alive\n\n"u8.ToArray(), cancellation);
        await response.Body.FlushAsync(cancellation);
    }

    private async Task WriteAsync(HttpResponse response, T chunk, CancellationToken cancellation)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(chunk, type);
        var line = new byte[json.Length + 8];
        "data: "u8.CopyTo(line);
        json.CopyTo(line, 6);
        "\n\n"u8.CopyTo(line.AsSpan(6 + json.Length));
        await response.Body.WriteAsync(line, cancellation);
        await response.Body.FlushAsync(cancellation);
    }

    private static async Task Quietly(Task<bool>? step)
    {
        try
        {
            await (step ?? Task.FromResult(false));
        }
        catch
        {
            // It was told already, or is the cancellation that was asked for.
        }
    }
}
