using System.Net.WebSockets;
using System.Threading.Channels;

namespace LangTrain.LocalHost.Relay;

/// <summary>
/// One client. What is sent to it waits in a bounded queue that one loop writes out, so nobody who sends ever waits for a client;
/// a client that falls too far behind is cut off. Thread-safe.
/// </summary>
internal sealed class RelayConnection(string id, string hub, RelayToken token, WebSocket socket, string? subprotocol, int queueLength)
{
    private readonly Channel<(byte[] Frame, WebSocketMessageType Type)> _queue =
        Channel.CreateBounded<(byte[], WebSocketMessageType)>(new BoundedChannelOptions(queueLength) { SingleReader = true });

    private readonly Lock _lock = new();
    private long _sequence;
    private string _closeReason = "";
    private volatile bool _isClosing;

    public string Id => id;

    public string Hub => hub;

    public string? UserId => token.UserId;

    public string? Subprotocol => subprotocol;

    public IReadOnlyList<string> Roles => token.Roles;

    public IReadOnlyList<string> FirstGroups => token.Groups;

    public bool IsReliable => subprotocol == RelayProtocol.ReliableJson;

    /// <summary>Queues a message. A client of a subprotocol gets it in a frame of that, a plain client as it is.</summary>
    public void Send(RelayMessage message)
    {
        lock (_lock)
        {
            if (subprotocol is null)
            {
                Queue(message.Data.ToArray(), message.DataType == "binary" ? WebSocketMessageType.Binary : WebSocketMessageType.Text);
            }
            else
            {
                Queue(message.ToFrame(IsReliable ? ++_sequence : null), WebSocketMessageType.Text);
            }
        }
    }

    /// <summary>Queues a frame of the subprotocol.</summary>
    public void SendFrame(byte[] frame) => Queue(frame, WebSocketMessageType.Text);

    /// <summary>Lets the client go once it has what is queued.</summary>
    public void Close(string reason)
    {
        _closeReason = reason;
        _isClosing = true;
        _queue.Writer.TryComplete();
    }

    /// <summary>Writes out what is queued until the connection ends.</summary>
    public async Task WriteAsync(CancellationToken cancellation)
    {
        await foreach (var (frame, type) in _queue.Reader.ReadAllAsync(cancellation))
        {
            await socket.SendAsync(frame, type, endOfMessage: true, cancellation);
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, _closeReason, cancellation);
    }

    private void Queue(byte[] frame, WebSocketMessageType type)
    {
        // What comes while it is closing is not for it any more.
        if (!_queue.Writer.TryWrite((frame, type)) && !_isClosing)
        {
            // Full. A client this slow would only be served what is long past.
            socket.Abort();
            _queue.Writer.TryComplete();
        }
    }
}
