using System.Text;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Http;

/// <summary>Lets pages of other origins call the API (OpenAI's client in a browser does).</summary>
/// <remarks>
/// Any origin may: whoever calls must show a key, and browsers add none by themselves. Cookies count nowhere but at the sign-in to the dashboard, which
/// refuses other origins by itself (<see cref="RequestExtensions.RequireSameOrigin"/>).
/// </remarks>
internal static class CrossOrigin
{
    private const string Readable =
        "x-request-id, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, retry-after, x-should-retry, idempotent-replayed, location, x-together-file-id";

    /// <summary>Says that the page may read the answer; only where a page asks.</summary>
    public static void Allow(HttpContext http)
    {
        if (http.Request.Headers.Origin.Count > 0)
        {
            http.Response.Headers.AccessControlAllowOrigin = "*";
            http.Response.Headers.AccessControlExposeHeaders = Readable;
        }
    }

    /// <summary>The answer to a browser's question before a request, and to any other OPTIONS: what the path knows.</summary>
    public static IResult Preflight(HttpRequest request, IReadOnlyList<string> methods)
    {
        var headers = request.HttpContext.Response.Headers;
        headers.Allow = string.Join(", ", [.. methods, "OPTIONS"]);
        if (request.Headers.AccessControlRequestMethod.Count > 0)
        {
            headers.AccessControlAllowMethods = string.Join(", ", methods);
            // The star does not stand for Authorization: what is asked for is said back.
            headers.AccessControlAllowHeaders = request.Headers.AccessControlRequestHeaders.ToString() is { Length: > 0 and < 2048 } asked && Ascii.IsValid(asked) ? asked : "*";
            headers.AccessControlMaxAge = "600";
        }

        return Answer.Nothing();
    }
}
