using System.Text.Json;

namespace LangTrain.Core.Datasets.Rows;

/// <summary>One message of a conversation, checked as far as it stands alone.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">Text; null only beside <paramref name="ToolCalls"/>.</param>
/// <param name="Weight">0 or 1: whether an assistant's message is trained on.</param>
/// <param name="Name">Who speaks, or which tool.</param>
/// <param name="ToolCalls">OpenAI's shape, an array.</param>
/// <param name="ToolCallId">Which call a tool answers.</param>
internal sealed record ChatMessage(
    string Role, string? Content, int Weight = 1, string? Name = null, JsonElement? ToolCalls = null, string? ToolCallId = null)
{
    /// <summary>Checks the order of a conversation's roles and that there is something to learn from it.</summary>
    /// <remarks>
    /// The order that published chat templates accept: a system message first if any, then user and assistant in turn, with tool messages
    /// only after an assistant's calls. Many templates raise an error on anything else, or leave messages out.
    /// </remarks>
    public static void CheckOrder(IReadOnlyList<ChatMessage> messages, RowOutput output, bool endsWithAssistant = true)
    {
        var previous = "start";
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var allowed = message.Role switch
            {
                "system" => i == 0,
                "user" => previous is "start" or "system" or "assistant",
                "assistant" => previous is "user" or "tool",
                _ => previous is "tool" || (previous is "assistant" && messages[i - 1].ToolCalls is not null),
            };
            if (!allowed)
            {
                output.Problem($"roles out of order: messages[{i}] is '{message.Role}' after {(previous == "start" ? "nothing" : $"'{previous}'")}");
                return;
            }

            previous = message.Role;
        }

        if (!endsWithAssistant)
        {
            return;
        }

        if (previous != "assistant")
        {
            output.Problem($"the last message is '{previous}'; it must be the assistant's, which is what is learned");
        }
        else if (!messages.Any(m => m.Role == "assistant" && m.Weight == 1))
        {
            output.Problem("no assistant message has weight 1, so nothing would be trained");
        }
    }

    /// <summary>Writes a canonical chat row.</summary>
    public static void WriteRow(IReadOnlyList<ChatMessage> messages, JsonElement? tools, RowOutput output)
    {
        output.Json.WriteStartObject();
        WriteList("messages", messages, output);
        if (tools is { } given)
        {
            output.Json.WritePropertyName("tools");
            given.WriteTo(output.Json);
        }

        output.Json.WriteEndObject();
    }

    /// <summary>Writes messages under a key.</summary>
    public static void WriteList(string key, IReadOnlyList<ChatMessage> messages, RowOutput output)
    {
        output.Json.WriteStartArray(key);
        foreach (var message in messages)
        {
            message.Write(output);
        }

        output.Json.WriteEndArray();
    }

    private void Write(RowOutput output)
    {
        var json = output.Json;
        json.WriteStartObject();
        json.WriteString("role", Role);
        if (Content is null)
        {
            json.WriteNull("content");
        }
        else
        {
            output.Text("content", Content);
        }

        if (Name is not null)
        {
            json.WriteString("name", Name);
        }

        if (ToolCalls is { } calls)
        {
            json.WritePropertyName("tool_calls");
            calls.WriteTo(json);
            output.Count(calls.GetRawText());
        }

        if (ToolCallId is not null)
        {
            json.WriteString("tool_call_id", ToolCallId);
        }

        if (Weight == 0)
        {
            json.WriteNumber("weight", 0);
        }

        json.WriteEndObject();
    }
}
