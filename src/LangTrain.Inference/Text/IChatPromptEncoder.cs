using System.Text.Json;

namespace LangTrain.Inference;

/// <summary>A model's way from a chat to token ids: its template, with what users wrote kept from becoming special tokens. Thread-safe.</summary>
public interface IChatPromptEncoder
{
    /// <summary>Encodes a chat, up to where the assistant's answer begins.</summary>
    /// <param name="messages">A JSON array of messages as they are on the wire.</param>
    /// <param name="tools">A JSON array of tools as it is on the wire, or null.</param>
    IReadOnlyList<int> Encode(JsonElement messages, JsonElement? tools);
}
