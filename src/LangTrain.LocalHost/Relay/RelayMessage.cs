using System.Text.Json;
using System.Text.Json.Nodes;

namespace LangTrain.LocalHost.Relay;

/// <summary>What is sent to clients: JSON, text or bytes. Immutable.</summary>
/// <param name="DataType"><c>json</c>, <c>text</c> or <c>binary</c>.</param>
/// <param name="Data">The content; JSON and text as UTF-8.</param>
/// <param name="Group">The group that it came through; null where the server named the receiver.</param>
/// <param name="FromUserId">The client who sent it, if one did.</param>
internal sealed record RelayMessage(string DataType, ReadOnlyMemory<byte> Data, string? Group = null, string? FromUserId = null)
{
    /// <summary>The frame that a client of the JSON subprotocol gets.</summary>
    public byte[] ToFrame(long? sequenceId)
    {
        var frame = new JsonObject { ["type"] = "message", ["from"] = Group is null ? "server" : "group" };
        if (Group is not null)
        {
            frame["group"] = Group;
        }

        if (FromUserId is not null)
        {
            frame["fromUserId"] = FromUserId;
        }

        frame["dataType"] = DataType;
        frame["data"] = DataType switch
        {
            "json" => JsonNode.Parse(Data.Span),
            "text" => System.Text.Encoding.UTF8.GetString(Data.Span),
            _ => Convert.ToBase64String(Data.Span),
        };
        if (sequenceId is not null)
        {
            frame["sequenceId"] = sequenceId;
        }

        return JsonSerializer.SerializeToUtf8Bytes(frame);
    }
}
