using System.Text;
using System.Text.Json;

namespace LangTrain.Inference.Structured;

/// <summary>The parts of JSON (RFC 8259) as expressions, bounded where a model could otherwise go on for ever: digits and white space.</summary>
internal sealed class JsonPieces
{
    private const int MaxDigits = 18;

    private readonly Grammar _grammar;
    private GrammarNode? _value;

    public JsonPieces(Grammar grammar)
    {
        _grammar = grammar;
        var indent = grammar.Sequence(grammar.Text("\n"), grammar.Repeat(grammar.AnyOf(" "), 0, 32));
        Space = grammar.Choice(grammar.Empty, grammar.Text(" "), indent);
        var hex = grammar.Choice(grammar.Range('0', '9'), grammar.Range('a', 'f'), grammar.Range('A', 'F'));
        var d = grammar.AnyOf("dD");
        var plain = grammar.Choice(
            grammar.Sequence(grammar.AnyOf("0123456789abcefABCEF"), hex, hex, hex),
            grammar.Sequence(d, grammar.Range('0', '7'), hex, hex));
        // A lone surrogate would be no text: they come in pairs.
        var pair = grammar.Sequence(
            grammar.Sequence(d, grammar.AnyOf("89abAB"), hex, hex), grammar.Text("\\u"), grammar.Sequence(d, grammar.AnyOf("cdefCDEF"), hex, hex));
        Character = grammar.Choice(
            CharacterSet.All.Within(0x20, 0x10FFFF).InJsonString(grammar),
            grammar.Sequence(grammar.Text("\\"), grammar.AnyOf("\"\\/bfnrt")),
            grammar.Sequence(grammar.Text("\\u"), grammar.Choice(plain, pair)));
        Digit = grammar.Range('0', '9');
        Whole = grammar.Choice(grammar.Text("0"), grammar.Sequence(grammar.Range('1', '9'), grammar.Repeat(Digit, 0, MaxDigits - 1)));
        Fraction = grammar.Sequence(grammar.Text("."), grammar.Repeat(Digit, 1, MaxDigits - 1));
        FractionAboveZero = grammar.Sequence(
            grammar.Text("."), grammar.Repeat(grammar.Range('0', '0'), 0, MaxDigits / 2 - 1), grammar.Range('1', '9'), grammar.Repeat(Digit, 0, MaxDigits / 2 - 1));
        var exponent = grammar.Sequence(grammar.AnyOf("eE"), grammar.Optional(grammar.AnyOf("+-")), grammar.Repeat(Digit, 1, 2));
        Integer = grammar.Sequence(grammar.Optional(grammar.Text("-")), Whole);
        Number = grammar.Sequence(Integer, grammar.Optional(Fraction), grammar.Optional(exponent));
        Boolean = grammar.Choice(grammar.Text("true"), grammar.Text("false"));
        Null = grammar.Text("null");
    }

    /// <summary>White space as models write it: none, a blank, or a new line with an indent.</summary>
    public GrammarNode Space { get; }

    /// <summary>One character inside a string, escaped or not.</summary>
    public GrammarNode Character { get; }

    public GrammarNode Digit { get; }

    /// <summary>Digits without a sign and without leading zeros.</summary>
    public GrammarNode Whole { get; }

    public GrammarNode Fraction { get; }

    /// <summary>A fraction with a digit that is not 0.</summary>
    public GrammarNode FractionAboveZero { get; }

    public GrammarNode Integer { get; }

    public GrammarNode Number { get; }

    public GrammarNode Boolean { get; }

    public GrammarNode Null { get; }

    /// <summary>Any value.</summary>
    public GrammarNode Value
    {
        get
        {
            if (_value is null)
            {
                _value = _grammar.Rule();
                _value.Body = _grammar.Choice(String(0, int.MaxValue), Number, Boolean, Null, Array([], _value, 0, int.MaxValue), Map(_value));
            }
            return _value;
        }
    }

    /// <summary>A string of some number of characters.</summary>
    public GrammarNode String(int min, int max) => Quoted(_grammar.Repeat(Character, min, max));

    /// <summary>A string with this between its quotes.</summary>
    public GrammarNode Quoted(GrammarNode inside) => _grammar.Sequence(_grammar.Text("\""), inside, _grammar.Text("\""));

    /// <summary>An array: items of their own first, then some of one kind.</summary>
    public GrammarNode Array(IReadOnlyList<GrammarNode> first, GrammarNode? item, int min, int max)
    {
        // tail(i): what may follow the first i items.
        var comma = _grammar.Sequence(_grammar.Text(","), Space);
        var most = item is null ? Math.Min(max, first.Count) : max;
        if (most < min)
            return _grammar.Nothing;
        var fixedCount = Math.Min(first.Count, most);
        var more = item is null || most <= fixedCount
            ? _grammar.Empty
            : _grammar.Repeat(_grammar.Sequence(comma, item), Math.Max(min - fixedCount, 0), most == int.MaxValue ? most : most - fixedCount);
        if (fixedCount == 0)
        {
            if (item is null || most == 0)
                return _grammar.Sequence(_grammar.Text("["), Space, _grammar.Text("]"));
            var items = _grammar.Sequence(item, _grammar.Repeat(_grammar.Sequence(comma, item), Math.Max(min - 1, 0), most == int.MaxValue ? most : most - 1));
            return Bracketed(min == 0 ? _grammar.Optional(_grammar.Sequence(items, Space)) : _grammar.Sequence(items, Space));
        }
        var tail = more;
        for (var i = fixedCount - 1; i >= 0; i--)
        {
            tail = _grammar.Sequence(i == 0 ? first[i] : _grammar.Sequence(comma, first[i]), tail);
            if (i >= min)
                tail = _grammar.Optional(tail);
        }
        return Bracketed(_grammar.Sequence(tail, Space));
    }

    /// <summary>An object of any names and values of one kind.</summary>
    public GrammarNode Map(GrammarNode value)
    {
        var member = Member(String(0, int.MaxValue), value);
        var members = _grammar.Sequence(member, _grammar.Repeat(_grammar.Sequence(_grammar.Text(","), Space, member), 0, int.MaxValue), Space);
        return _grammar.Sequence(_grammar.Text("{"), Space, _grammar.Optional(members), _grammar.Text("}"));
    }

    /// <summary>An object of named properties in their order, each needed or not.</summary>
    public GrammarNode Object(IReadOnlyList<(string Name, GrammarNode Value, bool Required)> properties)
    {
        // after: the rest when something was written before, so that a comma comes first; start: when nothing was.
        var after = _grammar.Empty;
        var start = _grammar.Empty;
        for (var i = properties.Count - 1; i >= 0; i--)
        {
            var (name, value, required) = properties[i];
            var member = Member(_grammar.Text(Quote(name)), value);
            var begun = _grammar.Sequence(member, after);
            var continued = _grammar.Sequence(_grammar.Text(","), Space, member, after);
            start = required ? begun : _grammar.Choice(begun, start);
            after = required ? continued : _grammar.Choice(continued, after);
        }
        return _grammar.Sequence(_grammar.Text("{"), Space, start, Space, _grammar.Text("}"));
    }

    /// <summary>A value as it stands, written without white space.</summary>
    public GrammarNode Literal(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => _grammar.Text(Quote(value.GetString()!)),
        JsonValueKind.Array => Array([.. value.EnumerateArray().Select(Literal)], null, value.GetArrayLength(), int.MaxValue),
        JsonValueKind.Object => Object([.. value.EnumerateObject().Select(p => (p.Name, Literal(p.Value), true))]),
        _ => _grammar.Text(value.GetRawText()),
    };

    // No more escapes than JSON itself asks for: that is how models write names and enum values.
    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            if (CharacterSet.NeedsEscape(c))
                quoted.Append(CharacterSet.EscapeOf(c));
            else
                quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }

    private GrammarNode Member(GrammarNode name, GrammarNode value) =>
        _grammar.Sequence(name, _grammar.Text(":"), _grammar.Sequence(_grammar.Optional(_grammar.Text(" ")), value));

    private GrammarNode Bracketed(GrammarNode inside) => _grammar.Sequence(_grammar.Text("["), Space, inside, _grammar.Text("]"));
}
