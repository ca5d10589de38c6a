using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LangTrain.Inference.Text;

/// <summary>
/// Takes tool calls out of an answer's text. Three ways of writing them are known, those of the published chat templates: tags around JSON
/// (<c>&lt;tool_call&gt;</c>, Qwen and Hermes), a marker before a JSON array (<c>[TOOL_CALLS]</c>, Mistral), and an answer that is JSON from its
/// first character (Llama 3.1, and Mistral's where its marker is a special token that decoding leaves out). What looks like a call and is none stays text.
/// </summary>
/// <remarks>
/// A call whose name comes first is given out in pieces while it is being written; any other whole, at the end. One choice's; not thread-safe.
/// </remarks>
/// <param name="functions">Names that may be called.</param>
/// <param name="onlyOne">End with the first call.</param>
internal sealed partial class ToolCallReader(IReadOnlySet<string> functions, bool onlyOne)
{
    /// <summary>What stands before a call.</summary>
    internal static readonly string[] Markers = ["<tool_call>", "[TOOL_CALLS]", "<|python_tag|>"];
    private static readonly HashSet<string> CallKeys = ["name", "arguments", "parameters", "type", "function", "id"];

    private readonly StopMatcher _marker = new(Markers);
    private readonly StringBuilder _held = new();
    private CallWriting _writing = new(functions);
    private bool _begun;
    private bool _holds;
    private bool _sure; // A marker was seen, or a call began.

    /// <summary>True when no more of the answer is wanted.</summary>
    public bool IsDone => onlyOne && _writing.Ended > 0;

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
                _holds = true;
            text = _holds ? "" : Release();
        }
        if (_holds)
        {
            _held.Append(text);
            _writing.Read(_held);
            _sure |= _writing.Calls.Count > 0;
            if (_sure || !IsOther(_held.ToString()))
                return "";
            _holds = false;
            _writing = new CallWriting(functions);
            text = Release();
        }
        var before = _marker.Push(text);
        if (!_marker.IsStopped)
            return before;
        (_holds, _sure) = (true, true);
        _held.Append(_marker.Matched).Append(_marker.AfterMatch);
        _writing.Read(_held);
        return before;
    }

    /// <summary>What was written of calls since the last time.</summary>
    public IReadOnlyList<ToolCallPiece>? TakePieces() => _writing.Take();

    /// <summary>Ends the answer.</summary>
    /// <param name="text">Text that <see cref="Push"/> gave for its last piece.</param>
    /// <returns>The last text, with what turned out to be no call; and the calls, null where there are none.</returns>
    public (string Text, IReadOnlyList<ToolCall>? Calls) End(string text)
    {
        text += _marker.Flush();
        var held = Release();
        var calls = Parse(held) ?? [];
        // Calls that were given out in pieces stand as they were, a last one that was cut off too.
        var begun = _writing.Calls;
        var all = begun.Concat(calls.Skip(begun.Count)).Take(onlyOne ? 1 : int.MaxValue).ToList();
        return all.Count > 0 ? (text.TrimEnd(), all) : (text + held, null);
    }

    // JSON that cannot become a call: an object that begins with a key no call has or names no function, or an array of something else than objects.
    private bool IsOther(string held)
    {
        var first = FirstKey().Match(held);
        if (first.Success)
            return !CallKeys.Contains(first.Groups[1].Value) || (first.Groups[1].Value == "name" && first.Groups[2].Success && !functions.Contains(first.Groups[2].Value));
        var begin = held.AsSpan().TrimStart().TrimStart('[').TrimStart();
        return begin.Length > 0 && (begin[0] != '{' || (begin[1..].TrimStart() is { Length: > 0 } inside && inside[0] != '"'));
    }

    private string Release()
    {
        var held = _held.ToString();
        _held.Clear();
        return held;
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
        calls.Add(new ToolCall(CallWriting.NewId(), name.GetString()!, text));
        return true;
    }

    [GeneratedRegex("""^[\s\[]*\{\s*"([^"\\]*)"\s*:(?:\s*"([^"\\]*)")?""")]
    private static partial Regex FirstKey();
}
