using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace LangTrain.Inference.Text;

/// <summary>
/// Takes tool calls out of an answer's text. Three ways of writing them are known, those of the published chat templates: tags around JSON
/// (<c>&lt;tool_call&gt;</c>, Qwen and Hermes), a marker before a JSON array (<c>[TOOL_CALLS]</c>, Mistral), and an answer that is JSON from its
/// first character (Llama 3.1, and Mistral's where its marker is a special token that decoding leaves out). What looks like a call and is none stays text.
/// </summary>
/// <remarks>One choice's; not thread-safe.</remarks>
internal sealed class ToolCallReader(IReadOnlySet<string> functions)
{
    private static readonly string[] Markers = ["<tool_call>", "[TOOL_CALLS]", "<|python_tag|>"];

    private readonly StopMatcher _marker = new(Markers);
    private readonly StringBuilder _held = new();
    private bool _begun;
    private bool _holds;

    /// <summary>Names of the functions that a request offers; null where it offers none or wants none called.</summary>
    public static IReadOnlySet<string>? FunctionsOf(TextGenerationRequest request)
    {
        if (request.Messages is null || request.Tools is not { } tools || request.ToolChoice.Mode == "none" || tools.GetArrayLength() == 0)
            return null;
        var names = new HashSet<string>();
        foreach (var tool in tools.EnumerateArray())
        {
            if (tool.TryGetProperty("function", out var function) && function.TryGetProperty("name", out var name))
                names.Add(name.GetString()!);
        }
        return names;
    }

    /// <summary>Adds certain text.</summary>
    /// <returns>What is text for certain; empty while a call is being written.</returns>
    public string Push(string text)
    {
        if (!_holds && !_begun)
        {
            _held.Append(text);
            var start = _held.ToString().TrimStart();
            if (start.Length == 0)
                return "";
            _begun = true;
            if (start[0] is '{' or '[')
            {
                _holds = true;
                return "";
            }
            text = _held.ToString();
            _held.Clear();
        }
        if (_holds)
        {
            _held.Append(text);
            return "";
        }
        var before = _marker.Push(text);
        if (!_marker.IsStopped)
            return before;
        _holds = true;
        _held.Append(_marker.Matched).Append(_marker.AfterMatch);
        return before;
    }

    /// <summary>Ends the answer.</summary>
    /// <param name="text">Text that <see cref="Push"/> gave for its last piece.</param>
    /// <returns>The last text, with what turned out to be no call; and the calls, null where there are none.</returns>
    public (string Text, IReadOnlyList<ToolCall>? Calls) End(string text)
    {
        text += _marker.Flush();
        var held = _held.ToString();
        _held.Clear();
        return Parse(held) is { Count: > 0 } calls ? (text.TrimEnd(), calls) : (text + held, null);
    }

    private List<ToolCall>? Parse(string held)
    {
        var calls = new List<ToolCall>();
        foreach (var part in held.Split(Markers, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var json = part.Replace("</tool_call>", "", StringComparison.Ordinal).Trim();
            try
            {
                // Llama writes several calls with ';' between them; as JSON each is a value of its own.
                var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json), new JsonReaderOptions { AllowMultipleValues = true });
                while (reader.Read())
                {
                    using var document = JsonDocument.ParseValue(ref reader);
                    if (!Add(document.RootElement, calls))
                        return null;
                }
            }
            catch (JsonException)
            {
                return null;
            }
        }
        return calls;
    }

    private bool Add(JsonElement value, List<ToolCall> calls)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in value.EnumerateArray())
            {
                if (!Add(item, calls))
                    return false;
            }
            return true;
        }
        if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String)
            return false;
        if (!functions.Contains(name.GetString()!))
            return false;
        if (!value.TryGetProperty("arguments", out var arguments) && !value.TryGetProperty("parameters", out arguments))
            return false;
        // Some models write the arguments as a string that holds JSON, as the wire does.
        var text = arguments.ValueKind == JsonValueKind.String ? arguments.GetString()! : arguments.GetRawText();
        calls.Add(new ToolCall("call_" + RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 24), name.GetString()!, text));
        return true;
    }
}
