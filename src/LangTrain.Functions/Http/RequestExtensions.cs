using LangTrain.Contracts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Errors;
using LangTrain.Core.Http;
using LangTrain.Core.Storage;
using LangTrain.Functions.Together;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace LangTrain.Functions.Http;

/// <summary>What function methods read off a request.</summary>
internal static class RequestExtensions
{
    /// <summary>Who calls, with the scope that the call needs.</summary>
    /// <exception cref="ApiException">401 without a caller; 403 without the scope.</exception>
    public static Caller Caller(this HttpRequest request, string scope)
    {
        var caller = request.Caller();
        caller.Require(scope);
        return caller;
    }

    /// <summary>Who calls, whatever the key's scopes are.</summary>
    /// <exception cref="ApiException">401 without a caller.</exception>
    public static Caller Caller(this HttpRequest request) =>
        request.HttpContext.Features.Get<Caller>() ?? throw ApiErrors.Unauthorized("missing_api_key", "No API key was given.");

    /// <summary>The request's id, as on the answer.</summary>
    public static string Id(this HttpRequest request) => request.HttpContext.TraceIdentifier;

    /// <summary>Reads the body as one JSON object.</summary>
    /// <exception cref="ApiException">415; 413; 400.</exception>
    public static Task<RequestObject> ReadJsonAsync(this HttpRequest request, CancellationToken cancellation, int maxBytes = JsonBody.DefaultMaxBytes)
    {
        request.RequireJson();
        return JsonBody.ReadAsync(request.Body, request.ContentLength, maxBytes, cancellation);
    }

    /// <summary>Reads the body as one JSON object; null where there is no body at all.</summary>
    /// <exception cref="ApiException">415; 413; 400.</exception>
    public static async Task<RequestObject?> ReadOptionalJsonAsync(this HttpRequest request, CancellationToken cancellation)
    {
        var bytes = await request.ReadBytesAsync(cancellation);
        if (bytes.IsEmpty)
        {
            return null;
        }

        request.RequireJson();
        return JsonBody.Parse(bytes.Span);
    }

    /// <summary>Reads the body as bytes.</summary>
    /// <exception cref="ApiException">413.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadBytesAsync(
        this HttpRequest request, CancellationToken cancellation, int maxBytes = JsonBody.DefaultMaxBytes)
    {
        if (request.ContentLength > maxBytes)
        {
            throw ApiErrors.TooLarge("The body", maxBytes);
        }

        using var copy = new MemoryStream((int)(request.ContentLength ?? 0));
        var buffer = new byte[16 * 1024];
        for (int read; (read = await request.Body.ReadAsync(buffer, cancellation)) > 0;)
        {
            if (copy.Length + read > maxBytes)
            {
                throw ApiErrors.TooLarge("The body", maxBytes);
            }

            copy.Write(buffer, 0, read);
        }

        return copy.GetBuffer().AsMemory(0, (int)copy.Length);
    }

    /// <summary>Reads <c>?limit&amp;after&amp;order</c>.</summary>
    /// <exception cref="ApiException">400.</exception>
    public static PageRequest ReadPage(this HttpRequest request) =>
        // That client knows no pages: it gets the largest.
        request.IsTogethers() ? PageQuery.FromRequest(request.QueryValue, PageQuery.MaxLimit) : PageQuery.FromRequest(request.QueryValue);

    /// <summary>A page of a list that is in memory: all of it where the query does not say <c>limit</c>.</summary>
    /// <exception cref="ApiException">400.</exception>
    public static ListAnswer<T> PageOf<T>(this HttpRequest request, IReadOnlyList<T> all, Func<T, string> id)
    {
        var page = request.ReadPage();
        var start = page.After is null ? 0 : all.Index().Where(pair => id(pair.Item) == page.After).Select(pair => pair.Index + 1).FirstOrDefault(all.Count);
        var count = request.QueryValue("limit") is null ? all.Count : page.Limit;
        var items = all.Skip(start).Take(count).ToArray();
        return ListAnswer.Of(items, start + items.Length < all.Count, id);
    }

    /// <summary>A parameter of the query, the last where it stands several times; null where it does not.</summary>
    public static string? QueryValue(this HttpRequest request, string name) => request.Query.TryGetValue(name, out var values) ? values[^1] : null;

    /// <summary>All parameters of the query, each with its last value.</summary>
    public static IReadOnlyDictionary<string, string> QueryValues(this HttpRequest request) =>
        request.Query.ToDictionary(pair => pair.Key, pair => pair.Value[^1] ?? "", StringComparer.Ordinal);

    /// <summary>Lets a body be as large as it may, which is more than the host lets by itself.</summary>
    /// <param name="request">The request.</param>
    /// <param name="what">What it is, for the error.</param>
    /// <param name="maxBytes">Largest body.</param>
    /// <exception cref="ApiException">413: it says that it is larger.</exception>
    public static void LimitBody(this HttpRequest request, string what, long maxBytes)
    {
        if (request.ContentLength > maxBytes)
        {
            throw ApiErrors.TooLarge(what, maxBytes);
        }

        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = maxBytes;
        }
    }

    /// <summary>Refuses a body that is compressed: what it grows to would be anybody's guess.</summary>
    /// <exception cref="ApiException">415.</exception>
    public static void RefuseEncoding(this HttpRequest request)
    {
        if (request.Headers.ContentEncoding.ToString() is { Length: > 0 } encoding && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            throw ApiErrors.UnsupportedMediaType(
                $"The body has the Content-Encoding '{ApiErrors.Shorten(encoding)}'; send it as it is. (A file of training data may itself be gzip.)", "Content-Encoding");
        }
    }

    /// <summary>Refuses a body that says it is not JSON.</summary>
    /// <exception cref="ApiException">415.</exception>
    public static void RequireJson(this HttpRequest request)
    {
        request.RefuseEncoding();
        if (string.IsNullOrEmpty(request.ContentType))
        {
            return;
        }

        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !(type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)))
        {
            throw ApiErrors.UnsupportedMediaType(
                $"The body is '{ApiErrors.Shorten(request.ContentType)}'; send JSON with 'Content-Type: application/json'.", "Content-Type");
        }
    }

    /// <summary>Refuses what another site made a browser send.</summary>
    /// <remarks>Every browser of today says where a request comes from (<c>Sec-Fetch-Site</c>); older ones say their page's origin with a POST.</remarks>
    /// <exception cref="ApiException">403.</exception>
    public static void RequireSameOrigin(this HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        var origin = request.Headers.Origin.ToString();
        var isOurs = site.Length > 0
            ? site is "same-origin" or "none"
            : origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase));
        if (!isOurs)
        {
            throw ApiErrors.Forbidden("cross_site_request", "This call is made by the dashboard's own pages only.");
        }
    }

    /// <summary>Base address of the API as the caller reached it, without a slash at its end.</summary>
    public static string BaseUrl(this HttpRequest request) => $"{request.Scheme}://{request.Host}{request.PathBase}/v1";

    /// <summary>A model id out of a catch-all route: <c>%2F</c> and <c>/</c> are one.</summary>
    /// <exception cref="ApiException">405: a catch-all also takes the path without any id, which knows other methods.</exception>
    public static string ModelId(string? routeValue) => string.IsNullOrEmpty(routeValue)
        ? throw ApiErrors.MethodNotAllowed("DELETE", "/v1/models", "GET, POST")
        : routeValue.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
