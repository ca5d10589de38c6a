using System.Buffers.Text;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace LangTrain.LocalHost.Relay;

/// <summary>Where clients connect: <c>/client/hubs/{hub}</c>, plain or with a JSON subprotocol, with a token that names their groups and roles.</summary>
internal sealed class RelayClientEndpoint(
    RelayOptions options, RelayHubs hubs, RelayUpstream upstream, TimeProvider time, IHostApplicationLifetime lifetime)
{
    private const int LargestFrame = 1024 * 1024;

    /// <summary>Serves one client for as long as it is connected.</summary>
    public async Task HandleAsync(HttpContext http, string hub)
    {
        if (!http.WebSockets.IsWebSocketRequest)
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        var text = http.Request.Query["access_token"].FirstOrDefault() ?? Bearer(http.Request);
        var token = text is null ? null : RelayToken.TryRead(text, options.AccessKey, time.GetUtcNow());
        if (token is null || !IsFor(token, hub))
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        var subprotocol = http.WebSockets.WebSocketRequestedProtocols
            .FirstOrDefault(asked => asked is RelayProtocol.Json or RelayProtocol.ReliableJson);
        using var socket = await http.WebSockets.AcceptWebSocketAsync(
            new WebSocketAcceptContext { SubProtocol = subprotocol, KeepAliveInterval = TimeSpan.FromSeconds(20), KeepAliveTimeout = TimeSpan.FromSeconds(20) });
        if (http.Request.Query.ContainsKey("awps_reconnection_token"))
        {
            // 1008 tells the client that this connection is gone and a new one is needed.
            await socket.CloseAsync(WebSocketCloseStatus.PolicyViolation, "The connection cannot be recovered.", http.RequestAborted);
            return;
        }

        var id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(18));
        await ServeAsync(new RelayConnection(id, hub, token, socket, subprotocol, options.SendQueueLength), socket, http.RequestAborted);
    }

    private static string? Bearer(HttpRequest request) =>
        request.Headers.Authorization.ToString() is var header && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..] : null;

    private static bool IsFor(RelayToken token, string hub) =>
        Uri.TryCreate(token.Audience, UriKind.Absolute, out var audience) && audience.AbsolutePath.TrimEnd('/') == $"/client/hubs/{hub}";

    private async Task ServeAsync(RelayConnection connection, WebSocket socket, CancellationToken aborted)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(aborted, lifetime.ApplicationStopping);
        var protocol = connection.Subprotocol is null ? null : new RelayProtocol(hubs, connection);
        protocol?.Welcome();
        // In its groups first, told to the app second: whatever the app then replays, nothing that comes meanwhile is missed.
        hubs.Add(connection);
        var writing = connection.WriteAsync(ending.Token);
        var told = upstream.ConnectedAsync(connection, ending.Token);
        var reason = "";
        try
        {
            reason = await ReadAsync(connection, protocol, socket, ending.Token);
        }
        catch (Exception ended) when (ended is WebSocketException or OperationCanceledException or IOException)
        {
            reason = "The connection was lost.";
        }

        hubs.Remove(connection);
        connection.Close(reason);
        await writing.WaitAsync(TimeSpan.FromSeconds(2), time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ending.CancelAsync();
        await told.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await upstream.DisconnectedAsync(connection, reason, lifetime.ApplicationStopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task<string> ReadAsync(RelayConnection connection, RelayProtocol? protocol, WebSocket socket, CancellationToken cancellation)
    {
        var buffer = new byte[16 * 1024];
        using var frame = new MemoryStream();
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), cancellation);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return "";
            }

            frame.Write(buffer, 0, part.Count);
            if (frame.Length > LargestFrame)
            {
                return "The message is larger than 1 MB.";
            }

            if (!part.EndOfMessage)
            {
                continue;
            }

            // A plain client has nobody to talk to here: what it says is read and dropped.
            if (protocol?.Handle(frame.GetBuffer().AsMemory(0, (int)frame.Length)) is { } refusal)
            {
                return refusal;
            }

            frame.SetLength(0);
        }
    }
}
