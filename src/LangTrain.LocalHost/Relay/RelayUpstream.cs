using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace LangTrain.LocalHost.Relay;

/// <summary>
/// Tells the app which clients come and go, as CloudEvents signed with the access key, after the app has said that it wants them
/// (abuse protection of the CloudEvents web hook specification). Thread-safe.
/// </summary>
internal sealed class RelayUpstream(RelayOptions options, HttpClient http, TimeProvider time, ILogger<RelayUpstream> logger)
{
    private const int Tries = 3;
    private volatile bool _isWelcome;

    /// <summary>Posts <c>connected</c>.</summary>
    public Task ConnectedAsync(RelayConnection connection, CancellationToken cancellation) =>
        PostAsync(connection, "connected", [], cancellation);

    /// <summary>Posts <c>disconnected</c>.</summary>
    public Task DisconnectedAsync(RelayConnection connection, string reason, CancellationToken cancellation) =>
        PostAsync(connection, "disconnected", new JsonObject { ["reason"] = reason }, cancellation);

    private async Task PostAsync(RelayConnection connection, string name, JsonObject body, CancellationToken cancellation)
    {
        if (options.EventHandler is null)
        {
            return;
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await AskAsync(cancellation);
                using var request = Event(connection, name, body);
                using var answer = await http.SendAsync(request, cancellation);
                answer.EnsureSuccessStatusCode();
                return;
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
            {
                if (attempt == Tries)
                {
                    logger.RelayEventUndelivered(failure, name, connection.Id);
                    return;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(200 * attempt), time, cancellation);
            }
        }
    }

    private async Task AskAsync(CancellationToken cancellation)
    {
        if (_isWelcome)
        {
            return;
        }

        using var request = new HttpRequestMessage(HttpMethod.Options, options.EventHandler);
        request.Headers.Add("WebHook-Request-Origin", options.Endpoint.Host);
        using var answer = await http.SendAsync(request, cancellation);
        var allowed = answer.Headers.TryGetValues("WebHook-Allowed-Origin", out var values) ? values.SelectMany(value => value.Split(',')) : [];
        if (!answer.IsSuccessStatusCode || !allowed.Any(origin => origin.Trim() == "*" || origin.Trim() == options.Endpoint.Host))
        {
            throw new HttpRequestException($"{options.EventHandler} did not allow events of {options.Endpoint.Host} (status {(int)answer.StatusCode}).");
        }

        _isWelcome = true;
    }

    private HttpRequestMessage Event(RelayConnection connection, string name, JsonObject body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, options.EventHandler) { Content = JsonContent.Create(body) };
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(options.AccessKey), Encoding.UTF8.GetBytes(connection.Id));
        var headers = new Dictionary<string, string?>
        {
            ["WebHook-Request-Origin"] = options.Endpoint.Host,
            ["ce-specversion"] = "1.0",
            ["ce-type"] = $"azure.webpubsub.sys.{name}",
            ["ce-source"] = $"/hubs/{connection.Hub}/client/{connection.Id}",
            ["ce-id"] = Guid.NewGuid().ToString(),
            ["ce-time"] = time.GetUtcNow().ToString("O"),
            ["ce-signature"] = $"sha256={Convert.ToHexStringLower(signature)}",
            ["ce-hub"] = connection.Hub,
            ["ce-connectionId"] = connection.Id,
            ["ce-eventName"] = name,
            ["ce-userId"] = connection.UserId,
            ["ce-subprotocol"] = connection.Subprotocol,
        };
        foreach (var (header, value) in headers)
        {
            if (value is not null)
            {
                request.Headers.TryAddWithoutValidation(header, value);
            }
        }

        return request;
    }
}
