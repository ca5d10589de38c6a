using System.Text.Json;

namespace LangTrain.Core.Datasets.Rows;

/// <summary><c>{"messages":[…], "tools"?}</c>, OpenAI's shape.</summary>
internal sealed class ChatShape : RowShape
{
    public override string Name => "chat";

    public override string CanonicalName => "chat";

    public override IReadOnlySet<string> Keys { get; } = new HashSet<string> { "messages", "tools", "parallel_tool_calls" };

    public override bool Matches(JsonElement row) => Has(row, "messages");

    public override void Write(JsonElement row, RowOutput output)
    {
        var messages = MessageReader.Read(row.GetProperty("messages"), "messages", output);
        JsonElement? tools = row.TryGetProperty("tools", out var given) && given.ValueKind != JsonValueKind.Null ? given : null;
        if (tools is { ValueKind: not JsonValueKind.Array })
        {
            output.Problem($"'tools' is {Describe(given)}; it must be a list");
        }

        if (messages is null)
        {
            return;
        }

        ChatMessage.CheckOrder(messages, output);
        if (output.Problems.Count == 0)
        {
            ChatMessage.WriteRow(messages, tools, output);
        }
    }
}
