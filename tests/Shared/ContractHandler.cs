namespace LangTrain.Testing;

/// <summary>Fails a test as soon as the API answers what its description does not say. Streams pass unread.</summary>
internal sealed class ContractHandler(Func<CancellationToken, Task<AnswerContract>> contract, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        // Redirects were followed, and what is no HTTP at all was refused by the server before the app saw it. What a browser asks beforehand is no operation.
        var path = response.RequestMessage!.RequestUri!.AbsolutePath;
        if (!response.Headers.Contains("x-request-id") || request.Method == HttpMethod.Options || !path.StartsWith("/v1/", StringComparison.Ordinal)
            || path.StartsWith("/v1/dashboard", StringComparison.Ordinal) || path.StartsWith("/v1/hubs/", StringComparison.Ordinal))
        {
            return response;
        }

        var media = response.Content.Headers.ContentType?.MediaType;
        string? body = null;
        if (media == "application/json" || media?.EndsWith("+json", StringComparison.Ordinal) == true)
        {
            await response.Content.LoadIntoBufferAsync(cancellationToken);
            body = await response.Content.ReadAsStringAsync(cancellationToken);
        }

        var problem = (await contract(cancellationToken)).Problem(request.Method.Method, path["/v1/".Length..], (int)response.StatusCode, media, body);
        Assert.True(problem is null, $"{request.Method} {path} answered {(int)response.StatusCode}, which the API's description does not allow: {problem}\n{body}");
        return response;
    }
}
