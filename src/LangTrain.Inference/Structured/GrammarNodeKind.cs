namespace LangTrain.Inference.Structured;

/// <summary>Kinds of <see cref="GrammarNode"/>.</summary>
internal enum GrammarNodeKind
{
    /// <summary>No string at all.</summary>
    Nothing,

    /// <summary>The empty string.</summary>
    Empty,

    /// <summary>One byte of a set.</summary>
    Bytes,

    /// <summary>One expression, then another.</summary>
    Sequence,

    /// <summary>One of several.</summary>
    Choice,

    /// <summary>An expression some number of times.</summary>
    Repeat,

    /// <summary>A name for an expression, which may contain the name again.</summary>
    Rule,
}
