using System.Buffers;
using System.Text;
using System.Text.Json;
using LangTrain.Core.Http;

namespace LangTrain.Core.Generation;

/// <summary>Reads chat messages and brings them into the one shape that templates know.</summary>
internal static class ChatMessages
{
    private const int MostMessages = 2048;

    private static readonly string[] Roles = ["system", "developer", "user", "assistant", "tool"];

    /// <summary>The messages as a JSON array; an empty one after a fault.</summary>
    public static JsonElement FromRequest(RequestObject request, string key)
    {
        if (!request.Has(key))
        {
            request.Missing(key);
        }

        var messages = request.Objects(key, MostMessages, 1) ?? [];
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (var message in messages)
            {
                Write(writer, message);
            }

            writer.WriteEndArray();
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter writer, RequestObject message)
    {
        if (!message.Has("role"))
        {
            message.Missing("role");
        }

        var role = message.OneOf("role", Roles) ?? "user";
        var content = ReadContent(message);
        message.Takes("tool_calls", """{"type":"array","maxItems":128,"items":{"type":"object"}}""");
        var calls = message.Items("tool_calls", 128);
        var callId = message.Text("tool_call_id", 256);
        var name = message.Text("name", 256);
        if (content is null && (role != "assistant" || calls is null) && !message.Has("content"))
        {
            message.Missing("content");
        }

        Refuse(message, calls is not null && role != "assistant", "tool_calls", "tool_calls stand on messages of the role 'assistant' only.");
        Refuse(message, role == "tool" && callId is null, "tool_call_id", "A message of the role 'tool' needs the tool_call_id that it answers.");

        // Fields of OpenAI's answers, which come back with the history. They say nothing to a template.
        foreach (var field in (string[])["refusal", "annotations", "audio", "function_call"])
        {
            if (message.Find(field) is { } value && !(value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0) && field != "refusal")
            {
                message.Problems.Add(message.At(field), $"{message.At(field)} is not supported.", "unsupported_parameter");
            }
        }

        message.RefuseUnknownKeys();

        writer.WriteStartObject();

        // Templates know no 'developer'; it is OpenAI's newer word for the same place.
        writer.WriteString("role", role == "developer" ? "system" : role);
        writer.WriteString("content", content);
        if (name is not null)
        {
            writer.WriteString("name", name);
        }

        if (calls is not null)
        {
            writer.WritePropertyName("tool_calls");
            message.Find("tool_calls")!.Value.WriteTo(writer);
        }

        if (callId is not null)
        {
            writer.WriteString("tool_call_id", callId);
        }

        writer.WriteEndObject();
    }

    private static string? ReadContent(RequestObject message)
    {
        message.Takes("content", """{"anyOf":[{"type":"string"},{"type":"array","minItems":1,"maxItems":1024,"items":{"type":"object","properties":{"type":{"type":"string","enum":["text","refusal"]},"text":{"type":"string"},"refusal":{"type":"string"}},"required":["type"],"additionalProperties":false}}]}""", mayBeAbsent: true);
        if (message.Find("content") is not { ValueKind: JsonValueKind.Array })
        {
            return message.Text("content");
        }

        var text = new StringBuilder();
        foreach (var part in message.Objects("content", 1024, 1) ?? [])
        {
            var type = part.RequireText("type", 64);
            if (type.Length > 0 && type is not ("text" or "refusal"))
            {
                part.Problems.Add(part.At("type"), $"{part.At("type")} must be 'text': these models read text only.", "unsupported_value");
                continue;
            }

            text.Append(type == "text" && !part.Has("text") ? part.RequireText("text") : part.Text("text") ?? part.Text("refusal"));
            part.RefuseUnknownKeys();
        }

        return text.ToString();
    }

    private static void Refuse(RequestObject message, bool when, string key, string why)
    {
        if (when)
        {
            message.Problems.Add(message.At(key), why);
        }
    }
}
