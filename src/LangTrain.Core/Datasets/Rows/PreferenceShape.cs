using System.Text.Json;

namespace LangTrain.Core.Datasets.Rows;

/// <summary><c>{"prompt","chosen","rejected"}</c>, each text or messages; chosen and rejected may repeat the prompt's messages.</summary>
internal class PreferenceShape : RowShape
{
    public override string Name => "preference";

    public override string CanonicalName => "preference";

    public override IReadOnlySet<string> Keys { get; } = new HashSet<string> { "prompt", "chosen", "rejected" };

    public override bool Matches(JsonElement row) => Has(row, "chosen") || Has(row, "rejected");

    public override void Write(JsonElement row, RowOutput output) => WriteFrom(row, "prompt", "chosen", "rejected", output);

    /// <summary>Writes the canonical row from three keys.</summary>
    protected static void WriteFrom(JsonElement row, string promptKey, string chosenKey, string rejectedKey, RowOutput output)
    {
        foreach (var key in (string[])[promptKey, chosenKey, rejectedKey])
        {
            if (!row.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null)
            {
                output.Problem($"'{key}' is missing");
            }
        }

        if (output.Problems.Count > 0)
        {
            return;
        }

        output.Json.WriteStartObject();
        WritePart(row, promptKey, "prompt", output, isPrompt: true);
        var chosen = WritePart(row, chosenKey, "chosen", output, isPrompt: false);
        var rejected = WritePart(row, rejectedKey, "rejected", output, isPrompt: false);
        output.Json.WriteEndObject();
        if (chosen is not null && chosen == rejected)
        {
            output.Problem($"'{chosenKey}' and '{rejectedKey}' are the same, so there is nothing to prefer");
        }
    }

    // Gives what was written, for comparison; null when it was wrong.
    private static string? WritePart(JsonElement row, string key, string canonicalKey, RowOutput output, bool isPrompt)
    {
        var value = row.GetProperty(key);
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("messages", out var inner))
        {
            value = inner;
        }

        if (value.ValueKind == JsonValueKind.Array)
        {
            if (MessageReader.Read(value, key, output) is not { } messages)
            {
                return null;
            }

            if (isPrompt)
            {
                ChatMessage.CheckOrder(messages, output, endsWithAssistant: false);
            }
            else if (messages[^1].Role != "assistant")
            {
                output.Problem($"'{key}' must end with the assistant's message");
            }

            ChatMessage.WriteList(canonicalKey, messages, output);
            return value.GetRawText();
        }

        if (RequireText(row, key, output, $"'{key}' is empty") is not { } text)
        {
            return null;
        }

        output.Text(canonicalKey, text);
        return text;
    }
}

/// <summary>OpenAI's preference rows: <c>{"input","preferred_output","non_preferred_output"}</c>, also with <c>_completion</c>.</summary>
internal sealed class PreferredOutputShape : PreferenceShape
{
    public override IReadOnlySet<string> Keys { get; } = new HashSet<string>
    {
        "input", "preferred_output", "preferred_completion", "non_preferred_output", "non_preferred_completion",
    };

    public override bool Matches(JsonElement row) =>
        Has(row, "preferred_output") || Has(row, "preferred_completion") || Has(row, "non_preferred_output") || Has(row, "non_preferred_completion");

    public override void Write(JsonElement row, RowOutput output)
    {
        var kind = Has(row, "preferred_completion") || Has(row, "non_preferred_completion") ? "completion" : "output";
        WriteFrom(row, "input", "preferred_" + kind, "non_preferred_" + kind, output);
    }
}
