using System.Text;
using System.Text.Json;

namespace LangTrain.Core.Datasets.Rows;

/// <summary>Reads messages in OpenAI's shape.</summary>
internal static class MessageReader
{
    private static readonly HashSet<string> Known = ["role", "content", "name", "weight", "tool_calls", "tool_call_id"];

    /// <summary>Reads a list of messages; null, with problems said, when one is wrong.</summary>
    public static List<ChatMessage>? Read(JsonElement list, string path, RowOutput output)
    {
        if (list.ValueKind != JsonValueKind.Array)
        {
            output.Problem($"'{path}' is {RowShape.Describe(list)}; it must be a list of messages");
            return null;
        }

        if (list.GetArrayLength() == 0)
        {
            output.Problem($"'{path}' is empty");
            return null;
        }

        var messages = new List<ChatMessage>(list.GetArrayLength());
        var before = output.Problems.Count;
        foreach (var item in list.EnumerateArray())
        {
            if (ReadOne(item, $"{path}[{messages.Count}]", output) is not { } message)
            {
                return null;
            }

            messages.Add(message);
        }

        return output.Problems.Count == before ? messages : null;
    }

    private static ChatMessage? ReadOne(JsonElement item, string path, RowOutput output)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            output.Problem($"{path} is {RowShape.Describe(item)}; it must be an object with 'role' and 'content'");
            return null;
        }

        foreach (var property in item.EnumerateObject())
        {
            if (!Known.Contains(property.Name))
            {
                output.Problem($"{path} has an unknown key '{property.Name}'; known are {string.Join(", ", Known)}");
                return null;
            }
        }

        if (!item.TryGetProperty("role", out var roleValue) || roleValue.ValueKind != JsonValueKind.String)
        {
            output.Problem($"{path}.role is missing or not text");
            return null;
        }

        // 'developer' is what OpenAI's newer models call the system.
        var role = roleValue.GetString() switch { "developer" => "system", var given => given };
        if (role is not ("system" or "user" or "assistant" or "tool"))
        {
            output.Problem($"{path}.role is '{role}'; it must be system, user, assistant or tool");
            return null;
        }

        var calls = item.TryGetProperty("tool_calls", out var callsValue) && callsValue.ValueKind != JsonValueKind.Null ? callsValue : (JsonElement?)null;
        if (calls is { } array && (role != "assistant" || array.ValueKind != JsonValueKind.Array || array.GetArrayLength() == 0))
        {
            output.Problem($"{path}.tool_calls must be a list with at least one call, on an assistant's message");
            return null;
        }

        var text = Content(item, path, output, out var readable);
        if (!readable)
        {
            return null;
        }

        if (string.IsNullOrWhiteSpace(text) && calls is null && role != "tool")
        {
            output.Problem(role == "assistant" ? $"{path}: empty completion" : $"{path}: empty prompt ('{role}' without content)");
            return null;
        }

        return new ChatMessage(role, text, Weight(item, path, output), Text(item, "name", path, output), calls?.Clone(), Text(item, "tool_call_id", path, output));
    }

    // Text, null, or a list of parts of type text, which are joined.
    private static string? Content(JsonElement item, string path, RowOutput output, out bool readable)
    {
        readable = true;
        if (!item.TryGetProperty("content", out var content) || content.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (content.ValueKind == JsonValueKind.String)
        {
            return content.GetString();
        }

        if (content.ValueKind == JsonValueKind.Array)
        {
            var joined = new StringBuilder();
            foreach (var part in content.EnumerateArray())
            {
                if (part.ValueKind != JsonValueKind.Object || !part.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String
                    || type.GetString() != "text" || !part.TryGetProperty("text", out var text) || text.ValueKind != JsonValueKind.String)
                {
                    output.Problem($"{path}.content has a part that is not text; only text can be trained on");
                    readable = false;
                    return null;
                }

                joined.Append(text.GetString());
            }

            return joined.ToString();
        }

        output.Problem($"{path}.content is {RowShape.Describe(content)}; it must be text");
        readable = false;
        return null;
    }

    private static int Weight(JsonElement item, string path, RowOutput output)
    {
        if (!item.TryGetProperty("weight", out var weight) || weight.ValueKind == JsonValueKind.Null)
        {
            return 1;
        }

        if (weight.ValueKind == JsonValueKind.Number && weight.TryGetDouble(out var number) && number is 0 or 1)
        {
            return (int)weight.GetDouble();
        }

        output.Problem($"{path}.weight is {weight.GetRawText()}; it must be 0 or 1");
        return 1;
    }

    private static string? Text(JsonElement item, string key, string path, RowOutput output)
    {
        if (!item.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            return value.GetString();
        }

        output.Problem($"{path}.{key} is {RowShape.Describe(value)}; it must be text");
        return null;
    }
}
