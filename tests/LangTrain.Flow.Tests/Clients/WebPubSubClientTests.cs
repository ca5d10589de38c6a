using System.Net.WebSockets;
using System.Text.Json.Nodes;

namespace LangTrain.Flow.Tests.Clients;

/// <summary>npm's <c>@azure/web-pubsub-client</c>, unmodified, and a plain WebSocket, against LocalHost's stand-in.</summary>
[Collection(SharedHost.Collection)]
public sealed class WebPubSubClientTests(SharedHost shared)
{
    private readonly Api _api = shared.Host.Api;

    [Fact]
    public Task Azures_own_client_follows_a_job() => shared.RunNodeTestsAsync("web-pubsub.test.mjs");

    [Fact]
    public async Task A_web_socket_closes_within_five_seconds_of_its_keys_expiry_and_of_the_end_of_a_rotated_keys_time()
    {
        var file = await _api.UploadAsync(TinyModel.Rows(64));
        var job = (await _api.PostAsync("fine-tunes", TinyModel.Job(file, epochs: 100)))["id"]!.GetValue<string>();
        try
        {
            var end = DateTimeOffset.UtcNow.AddSeconds(4);
            var expiring = await _api.PostAsync("api-keys", new JsonObject { ["expires_at"] = end.ToString("o") });
            var rotated = await _api.PostAsync("api-keys", new JsonObject());
            using var first = await ConnectAsync(job, expiring["key"]!.GetValue<string>());
            using var second = await ConnectAsync(job, rotated["key"]!.GetValue<string>());
            await _api.PostAsync($"api-keys/{rotated["id"]}/rotate", new JsonObject { ["grace_seconds"] = 3 });
            var rotatedEnd = DateTimeOffset.UtcNow.AddSeconds(3);

            var (firstClosed, secondClosed) = (ClosedAsync(first), ClosedAsync(second));
            Assert.InRange((await firstClosed - end).TotalSeconds, 0, 5);
            Assert.InRange((await secondClosed - rotatedEnd).TotalSeconds, -1, 5);
        }
        finally
        {
            await _api.SendAsync(HttpMethod.Delete, $"fine-tunes/{job}");
        }
    }

    private async Task<ClientWebSocket> ConnectAsync(string job, string key)
    {
        using var client = new Api(shared.Host.BaseUrl, key);
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri((await client.PostAsync($"fine-tunes/{job}/stream/negotiate", null))["url"]!.GetValue<string>()), CancellationToken.None);
        return socket;
    }

    private static async Task<DateTimeOffset> ClosedAsync(ClientWebSocket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var buffer = new byte[64 * 1024];
        while ((await socket.ReceiveAsync(buffer, patience.Token)).MessageType != WebSocketMessageType.Close)
        {
        }

        return DateTimeOffset.UtcNow;
    }
}
