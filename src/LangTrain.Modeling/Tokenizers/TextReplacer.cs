using System.Text;
using LangTrain.Modeling.Tokenizers.Patterns;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>The <c>Replace</c> step of normalizers and decoders: a literal or a pattern, each match replaced by a constant.</summary>
internal sealed class TextReplacer
{
    private readonly string? _literal;
    private readonly TextPattern? _pattern;
    private readonly string _content;

    private TextReplacer(string? literal, TextPattern? pattern, string content) => (_literal, _pattern, _content) = (literal, pattern, content);

    /// <summary>Reads <c>pattern</c> and <c>content</c>.</summary>
    public static TextReplacer FromJson(JsonSection section)
    {
        var (literal, pattern) = PatternReader.Read(section);
        return new TextReplacer(literal, pattern, section.String("content"));
    }

    public string Apply(string text)
    {
        if (_literal is not null) return _literal.Length == 0 ? text : text.Replace(_literal, _content, StringComparison.Ordinal);
        StringBuilder? result = null;
        var done = 0;
        while (_pattern!.Find(text, done, out var start, out var end))
        {
            result ??= new StringBuilder(text.Length);
            result.Append(text, done, start - done).Append(_content);
            done = end;
        }
        return result is null ? text : result.Append(text, done, text.Length - done).ToString();
    }
}
