using System.Globalization;
using System.Text;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>Cuts a template into tokens by Jinja's rules of white space, with <c>trim_blocks</c> and <c>lstrip_blocks</c> on, as chat templates are written for.</summary>
/// <remarks>Jinja documentation, "Whitespace Control"; literals as in Python.</remarks>
internal sealed class JinjaLexer
{
    // Longest first.
    private static readonly string[] Operators = ["//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"];
    private readonly string _source;
    private readonly List<JinjaToken> _tokens = [];
    private int _at;
    private bool _startsLine = true;
    private int _countedTo;
    private int _line = 1;

    private JinjaLexer(string source) => _source = source;

    /// <exception cref="ChatTemplateException">A tag, comment or literal does not end, or a character belongs nowhere.</exception>
    public static List<JinjaToken> Read(string source)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new JinjaLexer(source.EndsWith('\n') ? source[..^1] : source);
        while (lexer.ReadNext())
        {
        }
        lexer.Add(TokenKind.End, "");
        return lexer._tokens;
    }

    /// <summary>Text up to the next tag, and the tag.</summary>
    private bool ReadNext()
    {
        var begin = _at;
        do
        {
            begin = _source.IndexOf('{', begin);
        }
        while (begin >= 0 && (begin + 1 >= _source.Length || _source[begin + 1] is not ('%' or '{' or '#')) && ++begin >= 0);
        if (begin < 0)
        {
            AddData(_source[_at..]);
            return false;
        }
        var kind = _source[begin + 1];
        var sign = begin + 2 < _source.Length && _source[begin + 2] is '-' or '+' ? _source[begin + 2] : ' ';
        AddData(Left(_source[_at..begin], sign, isVariable: kind == '{'));
        _at = begin + (sign == ' ' ? 2 : 3);
        if (kind == '#') SkipComment();
        else if (kind == '{') ReadTag(TokenKind.VariableBegin, TokenKind.VariableEnd, '}', trims: false);
        else if (TryReadRawBegin()) ReadRaw();
        else ReadTag(TokenKind.BlockBegin, TokenKind.BlockEnd, '%', trims: true);
        return true;
    }

    /// <summary>What is left of the text before a tag: a minus takes all white space, and before a block what stands alone on its line goes.</summary>
    private string Left(string text, char sign, bool isVariable)
    {
        if (sign == '-') return text[..PythonText.TrimmedEnd(text)];
        if (sign == '+' || isVariable) return text;
        var line = text.LastIndexOf('\n') + 1;
        return (line > 0 || _startsLine) && PythonText.TrimmedEnd(text) <= line ? text[..line] : text;
    }

    private void AddData(string text)
    {
        if (text.Length > 0) Add(TokenKind.Data, text);
    }

    private void SkipComment()
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0) throw Error("Missing end of comment tag");
        CloseTag(end, trims: true);
    }

    /// <summary>Goes behind the two characters of a closing brace, and over the white space that it takes along.</summary>
    private void CloseTag(int brace, bool trims)
    {
        var sign = brace > _at && _source[brace - 1] is '-' or '+' ? _source[brace - 1] : ' ';
        _at = brace + 2;
        if (sign == '-') SkipWhiteSpace();
        else if (sign == ' ' && trims && _at < _source.Length && _source[_at] == '\n') _at++;
        _startsLine = _source[_at - 1] == '\n';
    }

    private void ReadTag(TokenKind begin, TokenKind end, char brace, bool trims)
    {
        Add(begin, "");
        var open = new Stack<char>();
        while (true)
        {
            SkipWhiteSpace();
            if (_at >= _source.Length) throw Error("unexpected end of template");
            if (open.Count == 0)
            {
                var sign = _source[_at] is '-' or '+' && (trims || _source[_at] == '-') ? 1 : 0;
                if (_at + sign + 1 < _source.Length && _source[_at + sign] == brace && _source[_at + sign + 1] == '}')
                {
                    Add(end, "");
                    CloseTag(_at + sign, trims);
                    return;
                }
            }
            ReadWord(open);
        }
    }

    private void ReadWord(Stack<char> open)
    {
        var c = _source[_at];
        if (char.IsAsciiDigit(c)) ReadNumber();
        else if (c is '\'' or '"') ReadText(c);
        else if (c == '_' || char.IsLetter(c))
        {
            var start = _at;
            while (_at < _source.Length && (_source[_at] == '_' || char.IsLetterOrDigit(_source[_at]))) _at++;
            Add(TokenKind.Name, _source[start.._at]);
        }
        else
        {
            var found = Array.Find(Operators, candidate => string.CompareOrdinal(_source, _at, candidate, 0, candidate.Length) == 0) ?? throw Error($"unexpected char '{c}'");
            if (found is "(" or "[" or "{") open.Push(found == "(" ? ')' : found == "[" ? ']' : '}');
            else if (found is ")" or "]" or "}" && (open.Count == 0 || open.Pop() != found[0])) throw Error($"unexpected '{found}'");
            Add(TokenKind.Operator, found);
            _at += found.Length;
        }
    }

    private void ReadNumber()
    {
        var start = _at;
        bool IsDigit(int at) => at < _source.Length && char.IsAsciiDigit(_source[at]);
        void Digits()
        {
            while (IsDigit(_at) || (_at < _source.Length && _source[_at] == '_' && IsDigit(_at + 1))) _at++;
        }
        if (_source[_at] == '0' && _at + 1 < _source.Length && char.ToLowerInvariant(_source[_at + 1]) is 'x' or 'o' or 'b')
        {
            var radix = char.ToLowerInvariant(_source[_at + 1]) switch { 'x' => 16, 'o' => 8, _ => 2 };
            _at += 2;
            var digits = _at;
            while (_at < _source.Length && (char.IsAsciiHexDigit(_source[_at]) || _source[_at] == '_')) _at++;
            try
            {
                Add(TokenKind.Integer, Convert.ToInt64(_source[digits.._at].Replace("_", "", StringComparison.Ordinal), radix).ToString(CultureInfo.InvariantCulture));
            }
            catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
            {
                throw Error("invalid number");
            }
            return;
        }
        Digits();
        // After a dot a number is an index: x.0.1 is not x and 0.1.
        var isFloat = false;
        if (start == 0 || _source[start - 1] != '.')
        {
            if (_at < _source.Length && _source[_at] == '.' && IsDigit(_at + 1))
            {
                isFloat = true;
                _at++;
                Digits();
            }
            var exponent = _at + 1 < _source.Length && _source[_at] is 'e' or 'E' ? _source[_at + 1] is '+' or '-' ? _at + 2 : _at + 1 : -1;
            if (exponent > 0 && IsDigit(exponent))
            {
                isFloat = true;
                _at = exponent;
                Digits();
            }
        }
        Add(isFloat ? TokenKind.Float : TokenKind.Integer, _source[start.._at].Replace("_", "", StringComparison.Ordinal));
    }

    private void ReadText(char quote)
    {
        var text = new StringBuilder();
        for (_at++; ; _at++)
        {
            if (_at >= _source.Length) throw Error("a string does not end");
            if (_source[_at] == quote) break;
            if (_source[_at] == '\\') ReadEscape(text);
            else text.Append(_source[_at]);
        }
        _at++;
        Add(TokenKind.Text, text.ToString());
    }

    /// <summary>An escape as Python reads it: what it does not know stays as it is written.</summary>
    private void ReadEscape(StringBuilder text)
    {
        if (++_at >= _source.Length) throw Error("a string does not end");
        var c = _source[_at];
        switch (c)
        {
            case '\n':
                break;
            case '\\' or '\'' or '"':
                text.Append(c);
                break;
            case 'n' or 't' or 'r' or 'b' or 'f' or 'v' or 'a':
                text.Append(c switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'b' => '\b', 'f' => '\f', 'v' => '\v', _ => '\a' });
                break;
            case 'x' or 'u' or 'U':
                var length = c == 'x' ? 2 : c == 'u' ? 4 : 8;
                if (_at + length >= _source.Length || !uint.TryParse(_source.AsSpan(_at + 1, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code > 0x10FFFF)
                {
                    throw Error($"invalid escape \\{c}");
                }
                text.Append(code < 0x10000 ? ((char)code).ToString() : char.ConvertFromUtf32((int)code));
                _at += length;
                break;
            case >= '0' and <= '7':
                var value = 0;
                var first = _at;
                for (; _at < first + 3 && _at < _source.Length && _source[_at] is >= '0' and <= '7'; _at++) value = value * 8 + _source[_at] - '0';
                text.Append((char)value);
                _at--;
                break;
            default:
                text.Append('\\').Append(c);
                break;
        }
    }

    /// <summary><c>raw</c> and its closing brace; the opening one is read.</summary>
    private bool TryReadRawBegin()
    {
        var at = _at;
        while (at < _source.Length && PythonText.IsSpace(_source[at])) at++;
        if (string.CompareOrdinal(_source, at, "raw", 0, 3) != 0) return false;
        at += 3;
        while (at < _source.Length && PythonText.IsSpace(_source[at])) at++;
        var sign = at < _source.Length && _source[at] == '-' ? 1 : 0;
        if (string.CompareOrdinal(_source, at + sign, "%}", 0, 2) != 0) return false;
        CloseTag(at + sign, trims: false);
        return true;
    }

    private void ReadRaw()
    {
        for (var begin = _source.IndexOf("{%", _at, StringComparison.Ordinal); begin >= 0; begin = _source.IndexOf("{%", begin + 1, StringComparison.Ordinal))
        {
            var at = begin + 2;
            var sign = at < _source.Length && _source[at] is '-' or '+' ? _source[at++] : ' ';
            while (at < _source.Length && PythonText.IsSpace(_source[at])) at++;
            if (string.CompareOrdinal(_source, at, "endraw", 0, 6) != 0) continue;
            at += 6;
            while (at < _source.Length && PythonText.IsSpace(_source[at])) at++;
            var brace = at < _source.Length && _source[at] is '-' or '+' ? at + 1 : at;
            if (string.CompareOrdinal(_source, brace, "%}", 0, 2) != 0) continue;
            AddData(Left(_source[_at..begin], sign, isVariable: false));
            _at = begin + 2;
            CloseTag(brace, trims: true);
            return;
        }
        throw Error("Missing end of raw directive");
    }

    private void SkipWhiteSpace()
    {
        while (_at < _source.Length && PythonText.IsSpace(_source[_at])) _at++;
    }

    private int Line()
    {
        _line += _source.AsSpan(_countedTo, _at - _countedTo).Count('\n');
        _countedTo = _at;
        return _line;
    }

    private void Add(TokenKind kind, string value) => _tokens.Add(new JinjaToken(kind, value, Line()));

    private ChatTemplateException Error(string message) => new($"{message} (line {Line()})");
}
