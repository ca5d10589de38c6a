using System.Text.Json;

namespace LangTrain.Core.Datasets.Rows;

/// <summary><c>{"conversations":[{"from","value"}], "system"?}</c>.</summary>
internal sealed class ShareGptShape : RowShape
{
    public override string Name => "sharegpt";

    public override string CanonicalName => "chat";

    public override IReadOnlySet<string> Keys { get; } = new HashSet<string> { "conversations", "system" };

    public override bool Matches(JsonElement row) => Has(row, "conversations");

    public override void Write(JsonElement row, RowOutput output)
    {
        var turns = row.GetProperty("conversations");
        if (turns.ValueKind != JsonValueKind.Array || turns.GetArrayLength() == 0)
        {
            output.Problem("'conversations' must be a list with at least one turn");
            return;
        }

        var messages = new List<ChatMessage>();
        if (OptionalText(row, "system", output) is { } system)
        {
            messages.Add(new ChatMessage("system", system));
        }

        var index = 0;
        foreach (var turn in turns.EnumerateArray())
        {
            if (Read(turn, $"conversations[{index++}]", output) is not { } message)
            {
                return;
            }

            messages.Add(message);
        }

        ChatMessage.CheckOrder(messages, output);
        if (output.Problems.Count == 0)
        {
            ChatMessage.WriteRow(messages, tools: null, output);
        }
    }

    private static ChatMessage? Read(JsonElement turn, string path, RowOutput output)
    {
        if (turn.ValueKind != JsonValueKind.Object || !turn.TryGetProperty("from", out var from) || from.ValueKind != JsonValueKind.String
            || !turn.TryGetProperty("value", out var value) || value.ValueKind != JsonValueKind.String)
        {
            output.Problem($"{path} must be an object with 'from' and 'value', both text");
            return null;
        }

        // The names that published sets in this format use.
        var role = from.GetString() switch
        {
            "human" or "user" => "user",
            "gpt" or "assistant" or "chatgpt" or "bard" or "bing" => "assistant",
            "system" => "system",
            _ => null,
        };
        if (role is null)
        {
            output.Problem($"{path}.from is '{from.GetString()}'; it must be system, human or gpt (or user, assistant)");
            return null;
        }

        var text = value.GetString()!;
        if (string.IsNullOrWhiteSpace(text))
        {
            output.Problem(role == "assistant" ? $"{path}: empty completion" : $"{path}: empty prompt");
            return null;
        }

        return new ChatMessage(role, text);
    }
}
