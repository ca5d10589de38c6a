using System.Text;
using System.Text.Json;

namespace LangTrain.Core.Datasets.Rows;

/// <summary><c>{"instruction","input"?,"output","system"?,"history"?}</c>: messages for a model with a chat template, else Alpaca's own prompt.</summary>
/// <remarks>The prompt's words are those of github.com/tatsu-lab/stanford_alpaca (README, "Data Release").</remarks>
internal sealed class AlpacaShape(bool chatModel) : RowShape
{
    public override string Name => "alpaca";

    public override string CanonicalName => chatModel ? "chat" : "completion";

    public override IReadOnlySet<string> Keys { get; } = new HashSet<string> { "instruction", "input", "output", "system", "history" };

    public override bool Matches(JsonElement row) => Has(row, "instruction") || (Has(row, "output") && Has(row, "input"));

    public override void Write(JsonElement row, RowOutput output)
    {
        var instruction = RequireText(row, "instruction", output, "'instruction' is empty");
        var answer = RequireText(row, "output", output, "'output' is empty, so there is nothing to learn");
        var input = OptionalText(row, "input", output);
        var system = OptionalText(row, "system", output);
        var history = History(row, output);
        if (instruction is null || answer is null || output.Problems.Count > 0)
        {
            return;
        }

        if (chatModel)
        {
            WriteMessages(output, system, history, input is null ? instruction : instruction + "\n" + input, answer);
        }
        else
        {
            output.Json.WriteStartObject();
            output.Text("prompt", Prompt(system, history, instruction, input));
            output.Text("completion", answer);
            output.Json.WriteEndObject();
        }
    }

    private static void WriteMessages(RowOutput output, string? system, List<(string User, string Assistant)> history, string question, string answer)
    {
        var messages = new List<ChatMessage>();
        if (system is not null)
        {
            messages.Add(new ChatMessage("system", system));
        }

        foreach (var (user, assistant) in history)
        {
            messages.Add(new ChatMessage("user", user));
            messages.Add(new ChatMessage("assistant", assistant));
        }

        messages.Add(new ChatMessage("user", question));
        messages.Add(new ChatMessage("assistant", answer));
        ChatMessage.WriteRow(messages, tools: null, output);
    }

    private static string Prompt(string? system, List<(string User, string Assistant)> history, string instruction, string? input)
    {
        var prompt = new StringBuilder();
        prompt.Append(system ?? (input is null
            ? "Below is an instruction that describes a task. Write a response that appropriately completes the request."
            : "Below is an instruction that describes a task, paired with an input that provides further context. "
                + "Write a response that appropriately completes the request."));
        foreach (var (user, assistant) in history)
        {
            prompt.Append("\n\n### Instruction:\n").Append(user).Append("\n\n### Response:\n").Append(assistant);
        }

        prompt.Append("\n\n### Instruction:\n").Append(instruction);
        if (input is not null)
        {
            prompt.Append("\n\n### Input:\n").Append(input);
        }

        return prompt.Append("\n\n### Response:\n").ToString();
    }

    private static List<(string User, string Assistant)> History(JsonElement row, RowOutput output)
    {
        var turns = new List<(string, string)>();
        if (!row.TryGetProperty("history", out var history) || history.ValueKind == JsonValueKind.Null)
        {
            return turns;
        }

        if (history.ValueKind != JsonValueKind.Array)
        {
            output.Problem($"'history' is {Describe(history)}; it must be a list of [question, answer]");
            return turns;
        }

        foreach (var turn in history.EnumerateArray())
        {
            if (turn.ValueKind != JsonValueKind.Array || turn.GetArrayLength() != 2
                || turn[0].ValueKind != JsonValueKind.String || turn[1].ValueKind != JsonValueKind.String)
            {
                output.Problem("'history' must be a list of [question, answer], both text");
                return turns;
            }

            turns.Add((turn[0].GetString()!, turn[1].GetString()!));
        }

        return turns;
    }
}
