namespace LangTrain.Modeling.Tokenizers.PreTokenization;

/// <summary>SentencePiece's treatment of spaces: a visible mark for each, one before the text, and a cut before each mark.</summary>
internal sealed class MetaspacePreTokenizer : PreTokenizer
{
    private readonly string _mark;
    private readonly string _scheme;
    private readonly SplitPreTokenizer? _split;

    private MetaspacePreTokenizer(string mark, string scheme, bool split)
    {
        _mark = mark;
        _scheme = scheme;
        _split = split ? new SplitPreTokenizer(mark, null, SplitBehavior.MergedWithNext, invert: false) : null;
    }

    public static MetaspacePreTokenizer FromJson(JsonSection section)
    {
        section.Allow("replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep");
        // Older files say add_prefix_space where newer ones name a scheme.
        var scheme = section.OptionalString("prepend_scheme") ?? (section.Bool("add_prefix_space", true) ? "always" : "never");
        if (scheme is not ("always" or "first" or "never")) throw new UnsupportedTokenizerException(section.Path + ".prepend_scheme", $"'{scheme}' is not understood");
        return new MetaspacePreTokenizer(section.String("replacement"), scheme, section.Bool("split", true));
    }

    public override void Apply(PieceList pieces)
    {
        pieces.Rewrite((piece, first) =>
        {
            piece = piece.Replace(" ", _mark, StringComparison.Ordinal);
            var prepends = _scheme == "always" || (_scheme == "first" && first);
            return prepends && !piece.StartsWith(_mark, StringComparison.Ordinal) ? _mark + piece : piece;
        });
        _split?.Apply(pieces);
    }
}
