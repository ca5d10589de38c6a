using System.Text.Json;
using System.Text.Json.Nodes;

namespace LangTrain.LocalHost.Relay;

/// <summary>What a client of the JSON subprotocols may ask for: groups, sending, pings; each answered by an ack where it gave an id.</summary>
internal sealed class RelayProtocol(RelayHubs hubs, RelayConnection connection)
{
    /// <summary>The plain JSON subprotocol.</summary>
    public const string Json = "json.webpubsub.azure.v1";

    /// <summary>The same with numbered messages, which Azure's own client asks for first. A lost connection is not recovered here: the client makes a new one.</summary>
    public const string ReliableJson = "json.reliable.webpubsub.azure.v1";

    private readonly HashSet<long> _acknowledged = [];

    /// <summary>Greets the client.</summary>
    public void Welcome()
    {
        var frame = new JsonObject { ["type"] = "system", ["event"] = "connected", ["userId"] = connection.UserId, ["connectionId"] = connection.Id };
        if (connection.IsReliable)
        {
            frame["reconnectionToken"] = Guid.NewGuid().ToString("N");
        }

        Send(frame);
    }

    /// <summary>Does what a frame asks for.</summary>
    /// <returns>Null, or why the connection must be closed.</returns>
    public string? Handle(ReadOnlyMemory<byte> frame)
    {
        JsonObject request;
        try
        {
            request = JsonNode.Parse(frame.Span)!.AsObject();
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or NullReferenceException)
        {
            return "Invalid payload: a JSON object is needed.";
        }

        try
        {
            return Handle(request);
        }
        catch (Exception malformed) when (malformed is InvalidOperationException or FormatException)
        {
            return $"Invalid payload: {malformed.Message}";
        }
    }

    private string? Handle(JsonObject request)
    {
        var group = request["group"]?.GetValue<string>() ?? "";
        switch (request["type"]?.GetValue<string>())
        {
            case "joinGroup":
                Acknowledge(request, MayJoin(group), () => hubs.Join(connection, group));
                return null;
            case "leaveGroup":
                Acknowledge(request, MayJoin(group), () => hubs.Leave(connection, group));
                return null;
            case "sendToGroup":
                Acknowledge(request, Has("webpubsub.sendToGroup", group), () => SendToGroup(request, group));
                return null;
            case "ping":
                Send(new JsonObject { ["type"] = "pong" });
                return null;
            case "sequenceAck":
                return null;
            case "event":
                Acknowledge(request, true, () => { });
                return null;
            case var type:
                return $"Invalid payload: unknown type '{type}'.";
        }
    }

    private void SendToGroup(JsonObject request, string group)
    {
        var type = request["dataType"]?.GetValue<string>() ?? "json";
        var data = request["data"];
        byte[] bytes = type switch
        {
            "json" => JsonSerializer.SerializeToUtf8Bytes(data),
            "text" => System.Text.Encoding.UTF8.GetBytes(data?.GetValue<string>() ?? ""),
            "binary" => Convert.FromBase64String(data?.GetValue<string>() ?? ""),
            _ => throw new FormatException($"unknown dataType '{type}'"),
        };
        var noEcho = request["noEcho"]?.GetValue<bool>() ?? false;
        hubs.SendToGroup(connection.Hub, group, new RelayMessage(type, bytes, group, connection.UserId), noEcho ? [connection.Id] : []);
    }

    private void Acknowledge(JsonObject request, bool allowed, Action action)
    {
        var id = request["ackId"]?.GetValue<long>();
        if (id is { } repeated && !_acknowledged.Add(repeated))
        {
            Answer(repeated, "Duplicate", $"Message with ack-id: {repeated} has been processed");
            return;
        }

        if (allowed)
        {
            action();
        }

        if (id is { } asked)
        {
            Answer(asked, allowed ? null : "Forbidden", "The client does not have permission for this group.");
        }
    }

    private void Answer(long id, string? error, string message)
    {
        var frame = new JsonObject { ["type"] = "ack", ["ackId"] = id, ["success"] = error is null };
        if (error is not null)
        {
            frame["error"] = new JsonObject { ["name"] = error, ["message"] = message };
        }

        Send(frame);
    }

    private bool MayJoin(string group) => Has("webpubsub.joinLeaveGroup", group);

    private bool Has(string role, string group) => connection.Roles.Contains(role) || connection.Roles.Contains($"{role}.{group}");

    private void Send(JsonObject frame) => connection.SendFrame(JsonSerializer.SerializeToUtf8Bytes(frame));
}
