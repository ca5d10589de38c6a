namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>Tokens, taken one after the other.</summary>
internal sealed class JinjaTokens(List<JinjaToken> tokens)
{
    private int _at;

    public JinjaToken Current => tokens[_at];

    /// <summary>The one behind <see cref="Current"/>.</summary>
    public JinjaToken Following => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public JinjaToken Next() => tokens[_at < tokens.Count - 1 ? _at++ : _at];

    public bool Is(TokenKind kind, string value) => Current.Kind == kind && Current.Value == value;

    public bool TryTake(TokenKind kind, string value)
    {
        if (!Is(kind, value)) return false;
        _at++;
        return true;
    }

    /// <exception cref="ChatTemplateException">Something else stands here.</exception>
    public JinjaToken Expect(TokenKind kind) => Current.Kind == kind ? Next() : throw Unexpected(kind.ToString());

    /// <exception cref="ChatTemplateException">Something else stands here.</exception>
    public void Expect(TokenKind kind, string value)
    {
        if (!TryTake(kind, value)) throw Unexpected($"'{value}'");
    }

    /// <exception cref="ChatTemplateException">Something else stands here.</exception>
    public void ExpectName(string value) => Expect(TokenKind.Name, value);

    public ChatTemplateException Error(string message) => new($"The chat template cannot be parsed: {message} (line {Current.Line})");

    private ChatTemplateException Unexpected(string expected) => Error($"expected {expected}, got '{(Current.Kind is TokenKind.End ? "end of template" : Current.Value.Length > 0 ? Current.Value : Current.Kind.ToString())}'");
}
