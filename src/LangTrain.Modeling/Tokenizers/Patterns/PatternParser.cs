using System.Globalization;

namespace LangTrain.Modeling.Tokenizers.Patterns;

/// <summary>Parses the regular expressions of tokenizer.json files: Oniguruma's Ruby syntax, over code points.</summary>
/// <remarks>What a pre-tokenizer cannot need (captures used later, conditionals, scripts) is refused by name.</remarks>
internal sealed class PatternParser
{
    private readonly string _pattern;
    private int _position;
    private bool _ignoreCase;

    private PatternParser(string pattern) => _pattern = pattern;

    /// <exception cref="FormatException">The pattern is malformed or uses a construct that is not understood.</exception>
    public static PatternNode Parse(string pattern)
    {
        var parser = new PatternParser(pattern);
        var node = parser.ParseAlternatives();
        if (parser._position != pattern.Length) throw parser.Error("an unmatched ')'");
        return node;
    }

    private bool AtEnd => _position >= _pattern.Length;

    private char Current => _pattern[_position];

    private FormatException Error(string what) => new($"{what} at position {_position} of the pattern");

    private PatternNode ParseAlternatives()
    {
        var outerCase = _ignoreCase;
        var items = new List<PatternNode> { ParseSequence() };
        while (!AtEnd && Current == '|')
        {
            _position++;
            items.Add(ParseSequence());
        }
        _ignoreCase = outerCase;
        return items.Count == 1 ? items[0] : new PatternNode.Alternatives(items);
    }

    private PatternNode ParseSequence()
    {
        var items = new List<PatternNode>();
        while (!AtEnd && Current is not ('|' or ')'))
        {
            items.Add(ParseQuantified());
        }
        return items.Count switch { 0 => new PatternNode.Empty(), 1 => items[0], _ => new PatternNode.Sequence(items) };
    }

    private PatternNode ParseQuantified()
    {
        var item = ParseAtom();
        while (!AtEnd)
        {
            int min, max;
            var braces = false;
            switch (Current)
            {
                case '*': (min, max) = (0, -1); _position++; break;
                case '+': (min, max) = (1, -1); _position++; break;
                case '?': (min, max) = (0, 1); _position++; break;
                case '{' when TryParseBraces(out min, out max): braces = true; break;
                default: return item;
            }
            var kind = RepeatKind.Greedy;
            if (!AtEnd && Current == '?') (kind, _position) = (RepeatKind.Lazy, _position + 1);
            // In Ruby's syntax {n,m}+ is a repeat of a repeat, not a possessive one.
            else if (!AtEnd && Current == '+' && !braces) (kind, _position) = (RepeatKind.Possessive, _position + 1);
            item = new PatternNode.Repeat(item, min, max, kind);
        }
        return item;
    }

    private bool TryParseBraces(out int min, out int max)
    {
        (min, max) = (0, 0);
        var close = _pattern.IndexOf('}', _position);
        if (close < 0) return false;
        var parts = _pattern[(_position + 1)..close].Split(',');
        if (parts.Length > 2) return false;
        if (parts[0].Length > 0 && !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out min)) return false;
        if (parts.Length == 1)
        {
            if (parts[0].Length == 0) return false;
            max = min;
        }
        else if (parts[1].Length == 0)
        {
            if (parts[0].Length == 0) return false;
            max = -1;
        }
        else if (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out max)) return false;
        if (min > 1000 || max > 1000 || (max >= 0 && max < min)) throw Error("a repeat count that is out of range");
        _position = close + 1;
        return true;
    }

    private PatternNode ParseAtom()
    {
        var c = Current;
        switch (c)
        {
            case '(': return ParseGroup();
            case '[': return new PatternNode.Set(new CodePointSet(new ClassParser(_pattern, _ignoreCase).Parse(ref _position)));
            case '.': _position++; return new PatternNode.Set(new CodePointSet(static x => x != '\n'));
            case '^': _position++; return new PatternNode.Anchor(AnchorKind.LineStart);
            case '$': _position++; return new PatternNode.Anchor(AnchorKind.LineEnd);
            case '*' or '+' or '?': throw Error($"'{c}' with nothing to repeat");
            case '\\': return ParseEscape();
            default: return Literal(ClassParser.ReadCodePoint(_pattern, ref _position));
        }
    }

    private PatternNode.Set Literal(int codePoint) => new(_ignoreCase
        ? new CodePointSet(x => CodePointSet.EqualsIgnoringCase(x, codePoint))
        : CodePointSet.Single(codePoint));

    private PatternNode ParseEscape()
    {
        AnchorKind? anchor = _position + 1 >= _pattern.Length ? throw Error("a lone backslash") : _pattern[_position + 1] switch
        {
            'b' => AnchorKind.WordBoundary,
            'B' => AnchorKind.NotWordBoundary,
            'A' => AnchorKind.TextStart,
            'z' => AnchorKind.TextEnd,
            'Z' => AnchorKind.TextEndOrLastNewline,
            _ => null,
        };
        if (anchor is { } kind)
        {
            _position += 2;
            return new PatternNode.Anchor(kind);
        }
        var item = new ClassParser(_pattern, _ignoreCase).ParseEscape(ref _position);
        return item.Set is { } set ? new PatternNode.Set(new CodePointSet(set)) : Literal(item.CodePoint);
    }

    private PatternNode ParseGroup()
    {
        _position++;
        if (AtEnd || Current != '?') return Close(ParseAlternatives()); // a capture, which nobody reads
        _position++;
        if (TakeAny(":")) return Close(ParseAlternatives());
        if (TakeAny(">")) return Close(new PatternNode.Atomic(ParseAlternatives()));
        if (TakeAny("=")) return Close(new PatternNode.Look(ParseAlternatives(), Ahead: true, Negative: false));
        if (TakeAny("!")) return Close(new PatternNode.Look(ParseAlternatives(), Ahead: true, Negative: true));
        if (TakeAny("<=")) return Close(new PatternNode.Look(ParseAlternatives(), Ahead: false, Negative: false));
        if (TakeAny("<!")) return Close(new PatternNode.Look(ParseAlternatives(), Ahead: false, Negative: true));
        var outerCase = _ignoreCase;
        var on = true;
        while (!AtEnd && Current is 'i' or '-')
        {
            if (Current == '-') on = false;
            else _ignoreCase = on;
            _position++;
        }
        if (TakeAny(":"))
        {
            var inner = Close(ParseAlternatives());
            _ignoreCase = outerCase;
            return inner;
        }
        // (?i) holds to the end of the enclosing group, which restores it.
        if (TakeAny(")")) return new PatternNode.Empty();
        throw Error("a group that is not understood");
    }

    private bool TakeAny(string text)
    {
        if (string.CompareOrdinal(_pattern, _position, text, 0, text.Length) != 0) return false;
        _position += text.Length;
        return true;
    }

    private PatternNode Close(PatternNode node)
    {
        if (!TakeAny(")")) throw Error("a group without its ')'");
        return node;
    }
}
