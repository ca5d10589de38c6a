namespace LangTrain.Modeling.Tokenizers.Patterns;

/// <summary>The syntax tree of a pattern: what <see cref="PatternParser"/> makes and <see cref="PatternCompiler"/> lowers.</summary>
internal abstract record PatternNode
{
    public sealed record Empty : PatternNode;

    public sealed record Set(CodePointSet Members) : PatternNode;

    public sealed record Sequence(IReadOnlyList<PatternNode> Items) : PatternNode;

    public sealed record Alternatives(IReadOnlyList<PatternNode> Items) : PatternNode;

    /// <summary>Max is -1 when unlimited.</summary>
    public sealed record Repeat(PatternNode Item, int Min, int Max, RepeatKind Kind) : PatternNode;

    public sealed record Look(PatternNode Item, bool Ahead, bool Negative) : PatternNode;

    public sealed record Atomic(PatternNode Item) : PatternNode;

    public sealed record Anchor(AnchorKind Kind) : PatternNode;
}

internal enum RepeatKind
{
    Greedy,
    Lazy,
    Possessive,
}

internal enum AnchorKind
{
    TextStart,
    TextEnd,
    TextEndOrLastNewline,
    LineStart,
    LineEnd,
    WordBoundary,
    NotWordBoundary,
}
