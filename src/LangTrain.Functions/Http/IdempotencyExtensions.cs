using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;
using LangTrain.Core.Idempotency;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Http;

/// <summary>Runs creating requests once for each <c>Idempotency-Key</c>.</summary>
internal static class IdempotencyExtensions
{
    private const string Header = "Idempotency-Key";

    /// <summary>Reads the JSON body, runs the request (or replays its answer) and answers.</summary>
    /// <param name="request">The request.</param>
    /// <param name="requests">Keeper of answers.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="type">How the answer is written.</param>
    /// <param name="run">Makes the thing; the text is the last part of its id. It may run twice with one text.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<IResult> RunOnceAsync<T>(
        this HttpRequest request,
        IdempotentRequests requests,
        Caller caller,
        JsonTypeInfo<T> type,
        Func<RequestObject, string, CancellationToken, Task<T>> run,
        CancellationToken cancellation)
    {
        request.RequireJson();
        var bytes = await request.ReadBytesAsync(cancellation);
        var body = JsonBody.Parse(bytes.Span);
        return await request.RunOnceAsync(requests, caller, type, bytes, (seed, stop) => run(body, seed, stop), cancellation);
    }

    /// <summary>Runs a request whose body was read already (or replays its answer) and answers.</summary>
    /// <param name="request">The request.</param>
    /// <param name="requests">Keeper of answers.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="type">How the answer is written.</param>
    /// <param name="fingerprint">Bytes that tell this request from others.</param>
    /// <param name="run">Makes the thing; the text is the last part of its id. It may run twice with one text.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<IResult> RunOnceAsync<T>(
        this HttpRequest request,
        IdempotentRequests requests,
        Caller caller,
        JsonTypeInfo<T> type,
        ReadOnlyMemory<byte> fingerprint,
        Func<string, CancellationToken, Task<T>> run,
        CancellationToken cancellation)
    {
        var answer = await requests.RunAsync(
            caller.AccountId,
            request.Headers.TryGetValue(Header, out var key) ? key.ToString() : null,
            request.Method,
            request.Path,
            fingerprint,
            async (seed, stop) => (StatusCodes.Status200OK, JsonSerializer.Serialize(await run(seed, stop), type)),
            cancellation);
        if (answer.Replayed)
        {
            request.HttpContext.Response.Headers["Idempotent-Replayed"] = "true";
        }

        return Answer.JsonText(answer.Body, answer.Status);
    }

    /// <summary>Refuses the header where an answer may not be stored.</summary>
    /// <exception cref="ApiException">400.</exception>
    public static void RefuseIdempotencyKey(this HttpRequest request)
    {
        if (request.Headers.ContainsKey(Header))
        {
            throw ApiErrors.Invalid("This call takes no Idempotency-Key.", Header, "idempotency_not_supported");
        }
    }
}
