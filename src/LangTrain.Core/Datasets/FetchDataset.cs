using System.Net;
using System.Net.Sockets;

namespace LangTrain.Core.Datasets;

/// <summary>Fetches a dataset from a user's URL as a stream, within limits of time, size and redirects. Thread-safe.</summary>
/// <remarks>The reading of the stream is part of the fetching: it too throws <see cref="DatasetException"/> or <see cref="DatasetInterruptedException"/>.</remarks>
public sealed class FetchDataset(HttpClient client, DatasetLimits limits)
{
    /// <summary>Checks what can be seen of a URL without going there.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public static string? Problem(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            return "must be an absolute http or https address";
        }

        if (uri.UserInfo.Length > 0)
        {
            return "must not carry a user name or password";
        }

        // Below 1024 are services that are no web servers and may take an HTTP request for something else (mail, DNS, shells).
        return uri.Port is 80 or 443 or >= 1024 ? null : $"must not have port {uri.Port}; allowed are 80, 443 and those from 1024 on";
    }

    /// <summary>Opens the URL; the caller disposes the stream.</summary>
    /// <exception cref="DatasetException">The URL is refused, or its server says no.</exception>
    /// <exception cref="DatasetInterruptedException">The network or the server failed in a way that may pass.</exception>
    public async Task<Stream> OpenAsync(string url, CancellationToken cancellation)
    {
        var current = url;
        for (var redirects = 0; redirects <= limits.MaxRedirects; redirects++)
        {
            if (Problem(current) is { } problem)
            {
                throw new DatasetException("dataset_url_refused", $"The dataset's URL{(redirects > 0 ? " redirects to an address that" : "")} {problem}.");
            }

            var response = await SendAsync(new Uri(current), cancellation);
            if ((int)response.StatusCode is 301 or 302 or 303 or 307 or 308 && response.Headers.Location is { } location)
            {
                response.Dispose();
                current = Uri.TryCreate(new Uri(current), location, out var next)
                    ? next.AbsoluteUri
                    : throw new DatasetException("dataset_unreachable", "The dataset's URL redirects to something that is no address.");
                continue;
            }

            return await OpenBodyAsync(response, cancellation);
        }

        throw new DatasetException("dataset_unreachable", $"The dataset's URL redirects more than {limits.MaxRedirects} times.");
    }

    private async Task<HttpResponseMessage> SendAsync(Uri uri, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(limits.IdleTime);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        }
        catch (Exception failure) when (FindPrivate(failure))
        {
            throw new DatasetException("dataset_url_refused",
                $"The dataset's URL leads to '{uri.Host}', which is a private or local address; the server fetches from the public Internet only.", inner: failure);
        }
        catch (HttpRequestException failure)
        {
            throw new DatasetInterruptedException($"The dataset's server '{uri.Host}' could not be reached: {Reason(failure)}.", failure);
        }
        catch (OperationCanceledException failure) when (!cancellation.IsCancellationRequested)
        {
            throw new DatasetInterruptedException($"The dataset's server '{uri.Host}' did not answer within {limits.IdleTime.TotalSeconds:0} seconds.", failure);
        }
    }

    private async Task<Stream> OpenBodyAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var status = (int)response.StatusCode;
        if (response.StatusCode != HttpStatusCode.OK)
        {
            response.Dispose();
            var answer = $"The dataset's server answered {status} instead of 200.";
            throw status is 408 or 429 or >= 500 ? new DatasetInterruptedException(answer) : new DatasetException("dataset_unreachable", answer);
        }

        if (response.Content.Headers.ContentLength > limits.MaxBytes)
        {
            response.Dispose();
            throw new DatasetException("dataset_too_large", $"The dataset has more than {limits.MaxBytes:N0} bytes, which is the most.");
        }

        if (response.Content.Headers.ContentType?.MediaType is { } type && IsSomethingElse(type))
        {
            response.Dispose();
            throw new DatasetException("dataset_invalid", $"The dataset's URL gives '{Errors.ApiErrors.Shorten(type)}', not JSONL.");
        }

        if (response.Content.Headers.ContentEncoding.Any(encoding => encoding is not ("gzip" or "x-gzip" or "identity")))
        {
            response.Dispose();
            throw new DatasetException("dataset_invalid", "The dataset's server compresses in a way that was not asked for; gzip is known.");
        }

        return new FetchedStream(response, await response.Content.ReadAsStreamAsync(cancellation), limits);
    }

    // JSONL comes as application/json, x-ndjson, text/plain, octet-stream, gzip and under names of servers' own invention: what it cannot be is refused.
    private static bool IsSomethingElse(string type) =>
        type.ToLowerInvariant() is "text/html" or "application/xhtml+xml" or "application/pdf" or "application/zip" or "multipart/form-data" or "multipart/byteranges"
        || type.Split('/')[0].ToLowerInvariant() is "image" or "audio" or "video" or "font";

    /// <summary>Whether a failure is the refusal of an address that is not public.</summary>
    internal static bool FindPrivate(Exception failure)
    {
        for (var e = failure; e is not null; e = e.InnerException)
        {
            if (e is PrivateAddressException)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What went wrong, in words of our own: messages of the system may name addresses inside.</summary>
    internal static string Reason(HttpRequestException failure) => failure.HttpRequestError switch
    {
        HttpRequestError.NameResolutionError => "its name is not known",
        HttpRequestError.SecureConnectionError => "no secure connection could be made (certificate or TLS)",
        HttpRequestError.ConnectionError when failure.InnerException is SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData } => "its name is not known",
        HttpRequestError.ConnectionError => "the connection was refused or timed out",
        _ => "the connection broke off",
    };
}

/// <summary>Fetching broke off in a way that may pass; trying again can help.</summary>
public sealed class DatasetInterruptedException(string message, Exception? inner = null) : IOException(message, inner);
