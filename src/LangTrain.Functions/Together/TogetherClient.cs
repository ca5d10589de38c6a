using System.Text.Json.Serialization.Metadata;
using LangTrain.Functions.Http;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Together;

/// <summary>Tells the together-ai client from others, to whom the same addresses answer in other shapes.</summary>
/// <remarks>
/// It is known by its <c>User-Agent</c> (<c>Together/JS 0.52.0</c>, <c>AsyncTogether/Python …</c>); whoever else wants its shapes says so with
/// <c>Accept</c>. Its answers have a media type of their own, which is JSON for every client.
/// </remarks>
internal static class TogetherClient
{
    /// <summary>Type of the answers in its shapes.</summary>
    public const string MediaType = "application/vnd.langtrain.together+json";

    /// <summary>Whether a request wants its shapes.</summary>
    public static bool IsTogethers(this HttpRequest request)
    {
        var agent = request.Headers.UserAgent.ToString();
        return agent.StartsWith("Together/", StringComparison.Ordinal) || agent.StartsWith("AsyncTogether/", StringComparison.Ordinal)
            || request.Headers.Accept.ToString().Contains(MediaType, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>200 in its shape.</summary>
    public static IResult Json<T>(T value, JsonTypeInfo<T> type) => TypedResults.Json(value, type, MediaType);

    /// <summary>200 in its shape where it asks, else in ours.</summary>
    public static IResult Either<TOurs, TTheirs>(
        this HttpRequest request, Func<TOurs> ours, JsonTypeInfo<TOurs> ourType, Func<TTheirs> theirs, JsonTypeInfo<TTheirs> theirType) =>
        request.IsTogethers() ? Json(theirs(), theirType) : Answer.Json(ours(), ourType);
}
