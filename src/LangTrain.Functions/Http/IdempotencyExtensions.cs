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
    /// <param name="mediaType">Type of the answer.</param>
    public static async Task<IResult> RunOnceAsync<T>(
        this HttpRequest request,
        IdempotentRequests requests,
        Caller caller,
        JsonTypeInfo<T> type,
        Func<RequestObject, string, CancellationToken, Task<T>> run,
        CancellationToken cancellation,
        string mediaType = Answer.JsonType)
    {
        request.RequireJson();
        var bytes = await request.ReadBytesAsync(cancellation);
        var body = JsonBody.Parse(bytes.Span);
        return await request.RunOnceAsync(requests, caller, type, bytes, (seed, stop) => run(body, seed, stop), cancellation, mediaType);
    }

    /// <summary>Runs a request whose body was read already (or replays its answer) and answers.</summary>
    /// <param name="request">The request.</param>
    /// <param name="requests">Keeper of answers.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="type">How the answer is written.</param>
    /// <param name="fingerprint">Bytes that tell this request from others.</param>
    /// <param name="run">Makes the thing; the text is the last part of its id. It may run twice with one text.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <param name="mediaType">Type of the answer; another one is another request.</param>
    public static async Task<IResult> RunOnceAsync<T>(
        this HttpRequest request,
        IdempotentRequests requests,
        Caller caller,
        JsonTypeInfo<T> type,
        ReadOnlyMemory<byte> fingerprint,
        Func<string, CancellationToken, Task<T>> run,
        CancellationToken cancellation,
        string mediaType = Answer.JsonType)
    {
        var answer = await requests.RunAsync(
            caller.AccountId,
            ReadKey(request),
            request.Method,
            mediaType == Answer.JsonType ? request.Path : $"{request.Path} {mediaType}",
            fingerprint,
            async (seed, stop) => (StatusCodes.Status200OK, JsonSerializer.Serialize(await run(seed, stop), type)),
            cancellation);
        if (answer.Replayed)
        {
            request.HttpContext.Response.Headers["Idempotent-Replayed"] = "true";
        }

        return Answer.JsonText(answer.Body, answer.Status, mediaType);
    }

    /// <summary>As <see cref="RunOnceAsync{T}(HttpRequest, IdempotentRequests, Caller, JsonTypeInfo{T}, Func{RequestObject, string, CancellationToken, Task{T}}, CancellationToken, string)"/>, for answers that tell a secret, which is not stored.</summary>
    /// <param name="request">The request; its body may be absent.</param>
    /// <param name="requests">Keeper of answers.</param>
    /// <param name="secrets">What secrets are derived from, so that a replay can tell them again.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="answers">How the answer is written, and how its secret is taken out and put in.</param>
    /// <param name="run">Makes the thing; the text is the last part of its id, the flag whether its secret is to be a derived one.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<IResult> RunOnceTellingSecretAsync<T>(
        this HttpRequest request,
        IdempotentRequests requests,
        DerivedSecrets secrets,
        Caller caller,
        SecretAnswer<T> answers,
        Func<RequestObject?, string, bool, CancellationToken, Task<T>> run,
        CancellationToken cancellation)
        where T : class
    {
        var bytes = await request.ReadBytesAsync(cancellation);
        if (!bytes.IsEmpty)
        {
            request.RequireJson();
        }

        var body = bytes.IsEmpty ? null : JsonBody.Parse(bytes.Span);
        request.HttpContext.Response.Headers.CacheControl = "no-store";
        var key = ReadKey(request);
        if (key is not null && !secrets.IsAvailable)
        {
            throw ApiErrors.Invalid(
                "This call takes no Idempotency-Key: the server has no LANGTRAIN_SIGNING_KEY, without which its secret could not be told again.",
                Header,
                "idempotency_not_supported");
        }

        T? first = null;
        var answer = await requests.RunAsync(
            caller.AccountId, key, request.Method, request.Path, bytes,
            async (seed, stop) =>
            {
                first = await run(body, seed, key is not null, stop);
                return (StatusCodes.Status200OK, JsonSerializer.Serialize(answers.Hide(first), answers.Type));
            },
            cancellation);
        if (answer.Replayed)
        {
            request.HttpContext.Response.Headers["Idempotent-Replayed"] = "true";
        }

        return Answer.Json(first ?? answers.Tell(JsonSerializer.Deserialize(answer.Body, answers.Type)!), answers.Type, answer.Status);
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

    // Half surrogates and control characters would be mangled by storage; the header's bytes are Latin-1 or UTF-8.
    private static string? ReadKey(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(Header, out var values))
        {
            return null;
        }

        var key = values.ToString();
        return key.Any(char.IsControl) || key.Any(char.IsSurrogate)
            ? throw ApiErrors.Invalid("Idempotency-Key may hold no control characters.", Header)
            : key;
    }
}

/// <summary>An answer that tells a secret once.</summary>
/// <param name="Type">How it is written.</param>
/// <param name="Hide">The answer without its secret.</param>
/// <param name="Tell">The answer with its derived secret.</param>
internal sealed record SecretAnswer<T>(JsonTypeInfo<T> Type, Func<T, T> Hide, Func<T, T> Tell);
