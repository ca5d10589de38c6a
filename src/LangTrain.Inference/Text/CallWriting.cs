using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace LangTrain.Inference.Text;

/// <summary>Follows tool calls while they are being written: <c>{"name": "…", "arguments": {…}}</c>, one after another with anything but a <c>{</c> between them.</summary>
/// <remarks>What is written in another order or way stops it, for the whole text to be read at its end. One choice's; not thread-safe.</remarks>
internal sealed partial class CallWriting(IReadOnlySet<string> functions)
{
    /// <summary>White space, a name as long as the wire allows, and the keys.</summary>
    private const int LongestHead = 256;

    private readonly List<ToolCall> _calls = [];
    private readonly StringBuilder _arguments = new();
    private List<ToolCallPiece>? _pieces;
    private State _state;
    private int _at; // Characters that were followed.
    private int _depth;
    private bool _inString, _escaped;

    private enum State
    {
        Between,
        Head,
        Arguments,
        Tail,
        Lost,
    }

    /// <summary>Calls of which the arguments have ended.</summary>
    public int Ended { get; private set; }

    /// <summary>The calls so far; the last one's arguments may not be whole.</summary>
    public IReadOnlyList<ToolCall> Calls
    {
        get
        {
            if (_state == State.Arguments)
                _calls[^1] = _calls[^1] with { Arguments = _arguments.ToString() };
            return _calls;
        }
    }

    /// <summary>An id for a call.</summary>
    public static string NewId() => "call_" + RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 24);

    /// <summary>What came since the last time; null where nothing did.</summary>
    public IReadOnlyList<ToolCallPiece>? Take()
    {
        var pieces = _pieces;
        _pieces = null;
        return pieces;
    }

    /// <summary>Follows the text on to its end.</summary>
    /// <param name="text">All text so far.</param>
    public void Read(StringBuilder text)
    {
        while (_state != State.Lost && Step(text))
        {
        }
    }

    // False when more text is needed.
    private bool Step(StringBuilder text)
    {
        switch (_state)
        {
            case State.Between:
                while (_at < text.Length && text[_at] != '{')
                    _at++;
                if (_at == text.Length)
                    return false;
                _state = State.Head;
                return true;

            case State.Head:
                var head = Head().Match(text.ToString(_at, Math.Min(text.Length - _at, LongestHead)));
                if (!head.Success || !functions.Contains(head.Groups[1].Value))
                {
                    if (head.Success || text.Length - _at >= LongestHead)
                        _state = State.Lost;
                    return false;
                }
                var call = new ToolCall(NewId(), head.Groups[1].Value, "");
                (_pieces ??= []).Add(new ToolCallPiece(_calls.Count, call.Id, call.Name, ""));
                _calls.Add(call);
                _at += head.Length - 1; // The arguments' own brace is theirs.
                _arguments.Clear();
                (_depth, _inString, _escaped, _state) = (0, false, false, State.Arguments);
                return true;

            case State.Arguments:
                return Follow(text);

            default:
                while (_at < text.Length && char.IsWhiteSpace(text[_at]))
                    _at++;
                if (_at == text.Length)
                    return false;
                _state = text[_at] == '}' ? State.Between : State.Lost;
                _at++;
                return true;
        }
    }

    private bool Follow(StringBuilder text)
    {
        var from = _at;
        var whole = false;
        for (; _at < text.Length && !whole; _at++)
        {
            var c = text[_at];
            if (_inString)
                (_inString, _escaped) = (c != '"' || _escaped, c == '\\' && !_escaped);
            else if (c == '"')
                _inString = true;
            else if (c is '{' or '[')
                _depth++;
            else if (c is '}' or ']')
                whole = --_depth == 0;
        }
        if (_at > from)
        {
            var piece = text.ToString(from, _at - from);
            _arguments.Append(piece);
            (_pieces ??= []).Add(new ToolCallPiece(_calls.Count - 1, null, null, piece));
        }
        if (whole)
        {
            _calls[^1] = _calls[^1] with { Arguments = _arguments.ToString() };
            Ended++;
            _state = State.Tail;
        }
        return whole;
    }

    [GeneratedRegex("""\G\{\s*"name"\s*:\s*"([A-Za-z0-9_.-]+)"\s*,\s*"(?:arguments|parameters)"\s*:\s*\{""")]
    private static partial Regex Head();
}
