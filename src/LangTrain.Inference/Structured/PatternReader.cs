using System.Globalization;
using System.Runtime.CompilerServices;

namespace LangTrain.Inference.Structured;

/// <summary>
/// Reads a regular expression of a schema's <c>pattern</c> into an expression over the characters of a JSON string. Known: literals, <c>.</c>,
/// classes, <c>\d \w \s</c> and their opposites, groups, <c>|</c>, <c>* + ? {m,n}</c>, <c>^</c> at the beginning and <c>$</c> at the end. What is not
/// regular (references, look-around) is refused.
/// </summary>
internal sealed class PatternReader
{
    private static readonly CharacterSet DigitSet = new(('0', '9'));
    private static readonly CharacterSet WordSet = new(('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_'));
    private static readonly CharacterSet SpaceSet = new((9, 13), (32, 32), (0xA0, 0xA0), (0x2028, 0x2029), (0xFEFF, 0xFEFF));
    private static readonly CharacterSet Dot = new CharacterSet(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)).Complement();

    private readonly Grammar _grammar;
    private readonly string _pattern;
    private int _at;

    private PatternReader(Grammar grammar, string pattern) => (_grammar, _pattern) = (grammar, pattern);

    /// <summary>The inside of a JSON string whose value the pattern matches somewhere, as schemas mean it.</summary>
    /// <exception cref="UnsupportedSchemaException">The pattern uses something that is not known.</exception>
    public static GrammarNode Read(Grammar grammar, string pattern)
    {
        var reader = new PatternReader(grammar, pattern);
        var node = reader.Alternatives();
        return reader._at == pattern.Length ? node : throw reader.Refuse("')' without '('");
    }

    // The outermost level handles its own anchors, each alternative for itself.
    private GrammarNode Alternatives()
    {
        var parts = new List<GrammarNode>();
        do
        {
            var anything = _grammar.Repeat(CharacterSet.All.InJsonString(_grammar), 0, int.MaxValue);
            var before = Take('^') ? _grammar.Empty : anything;
            var body = Branch();
            parts.Add(_grammar.Sequence(before, body, Take('$') ? _grammar.Empty : anything));
        }
        while (Take('|'));
        return _grammar.Choice([.. parts]);
    }

    private GrammarNode Group()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        var parts = new List<GrammarNode>();
        do
            parts.Add(Branch());
        while (Take('|'));
        if (!Take(')'))
            throw Refuse("'(' without ')'");
        return _grammar.Choice([.. parts]);
    }

    private GrammarNode Branch()
    {
        var items = new List<GrammarNode>();
        while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')') && !IsFinalAnchor())
            items.Add(Quantified(Atom()));
        return items.Count == 0 ? _grammar.Empty : _grammar.Sequence([.. items]);
    }

    private bool IsFinalAnchor() => _pattern[_at] == '$' && (_at + 1 == _pattern.Length || _pattern[_at + 1] == '|');

    private GrammarNode Quantified(GrammarNode item)
    {
        while (_at < _pattern.Length)
        {
            if (Take('*'))
                item = _grammar.Repeat(item, 0, int.MaxValue);
            else if (Take('+'))
                item = _grammar.Repeat(item, 1, int.MaxValue);
            else if (Take('?'))
                item = _grammar.Optional(item);
            else if (_pattern[_at] == '{')
                item = Counted(item);
            else
                break;
            Take('?'); // A lazy quantifier matches the same strings.
        }
        return item;
    }

    private GrammarNode Counted(GrammarNode item)
    {
        var end = _pattern.IndexOf('}', _at);
        var counts = end < 0 ? [] : _pattern[(_at + 1)..end].Split(',');
        if (counts.Length is 0 or > 2 || !TryCount(counts[0], out var min))
            throw Refuse("a '{' that is no count");
        var max = counts.Length == 1 ? min : int.MaxValue;
        if (counts.Length == 2 && counts[1].Length > 0 && (!TryCount(counts[1], out max) || max < min))
            throw Refuse("a '{' that is no count");
        _at = end + 1;
        return _grammar.Repeat(item, min, max);
    }

    private static bool TryCount(string text, out int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count <= 10_000;

    private GrammarNode Atom()
    {
        switch (_pattern[_at])
        {
            case '(':
                _at++;
                if (Take('?') && !Take(':'))
                    throw Refuse("'(?', which is not a plain group");
                return Group();
            case '[':
                return Class().InJsonString(_grammar);
            case '.':
                _at++;
                return Dot.InJsonString(_grammar);
            case '^' or '$' or '*' or '+' or '?' or '{':
                throw Refuse($"'{_pattern[_at]}' in this place");
            default:
                return One().InJsonString(_grammar);
        }
    }

    private CharacterSet Class()
    {
        _at++;
        var negated = Take('^');
        var set = new CharacterSet();
        for (var first = true; ; first = false)
        {
            if (_at >= _pattern.Length)
                throw Refuse("'[' without ']'");
            if (_pattern[_at] == ']' && !first)
                break;
            var low = One(out var single);
            if (single is { } from && _at + 1 < _pattern.Length && _pattern[_at] == '-' && _pattern[_at + 1] != ']')
            {
                _at++;
                One(out var to);
                if (to is not { } last || last < from)
                    throw Refuse("a range that is none");
                low = new CharacterSet((from, last));
            }
            set = set.Union(low);
        }
        _at++;
        return negated ? set.Complement() : set;
    }

    private CharacterSet One() => One(out _);

    // One character or one escape; single is set where it means one code point.
    private CharacterSet One(out int? single)
    {
        single = null;
        if (_pattern[_at] != '\\')
        {
            var rune = char.ConvertToUtf32(_pattern, _at);
            _at += rune > 0xFFFF ? 2 : 1;
            single = rune;
            return new CharacterSet((rune, rune));
        }
        _at++;
        if (_at >= _pattern.Length)
            throw Refuse("'\\' at its end");
        var escape = _pattern[_at++];
        switch (escape)
        {
            case 'd': return DigitSet;
            case 'D': return DigitSet.Complement();
            case 'w': return WordSet;
            case 'W': return WordSet.Complement();
            case 's': return SpaceSet;
            case 'S': return SpaceSet.Complement();
            case 'n': single = '\n'; break;
            case 'r': single = '\r'; break;
            case 't': single = '\t'; break;
            case 'f': single = '\f'; break;
            case 'v': single = '\v'; break;
            case 'u': single = Hex(4); break;
            case 'x': single = Hex(2); break;
            default:
                if (char.IsAsciiLetterOrDigit(escape))
                    throw Refuse($"'\\{escape}'");
                single = escape;
                break;
        }
        return new CharacterSet((single.Value, single.Value));
    }

    private int Hex(int digits)
    {
        if (_at + digits > _pattern.Length || !int.TryParse(_pattern.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            throw Refuse("an escape without its digits");
        _at += digits;
        return value;
    }

    private bool Take(char c)
    {
        if (_at >= _pattern.Length || _pattern[_at] != c)
            return false;
        _at++;
        return true;
    }

    private UnsupportedSchemaException Refuse(string what) => new("pattern", $"The pattern '{_pattern}' has {what}, at {_at}.");
}
