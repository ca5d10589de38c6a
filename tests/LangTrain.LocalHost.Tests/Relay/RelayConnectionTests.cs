using System.Net.WebSockets;
using LangTrain.LocalHost.Relay;

namespace LangTrain.LocalHost.Tests.Relay;

public sealed class RelayConnectionTests
{
    [Fact]
    public async Task What_is_sent_while_it_closes_is_dropped_and_the_close_is_said()
    {
        var socket = new RecordingSocket();
        var connection = new RelayConnection("c", "hub", null!, socket, RelayProtocol.Json, queueLength: 4);
        connection.SendFrame([1]);
        connection.Close("over");
        connection.SendFrame([2]);
        await connection.WriteAsync(CancellationToken.None);

        Assert.Equal(["1", "over"], socket.Said);
    }

    [Fact]
    public void A_client_that_falls_behind_is_cut_off()
    {
        var socket = new RecordingSocket();
        var connection = new RelayConnection("c", "hub", null!, socket, RelayProtocol.Json, queueLength: 1);
        connection.SendFrame([1]);
        connection.SendFrame([2]);

        Assert.Equal(["aborted"], socket.Said);
    }

    private sealed class RecordingSocket : WebSocket
    {
        public List<string> Said { get; } = [];

        public override WebSocketCloseStatus? CloseStatus => null;

        public override string? CloseStatusDescription => null;

        public override WebSocketState State => WebSocketState.Open;

        public override string? SubProtocol => null;

        public override void Abort() => Said.Add("aborted");

        public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => throw new NotSupportedException();

        public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
        {
            Said.Add(statusDescription!);
            return Task.CompletedTask;
        }

        public override void Dispose()
        {
            // Holds nothing.
        }

        public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) => throw new NotSupportedException();

        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
        {
            Said.Add(string.Join(' ', buffer));
            return Task.CompletedTask;
        }
    }
}
