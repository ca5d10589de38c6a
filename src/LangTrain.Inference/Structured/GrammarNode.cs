namespace LangTrain.Inference.Structured;

/// <summary>
/// A set of byte strings, as an expression: what may still follow. Nodes are unique within their <see cref="Grammar"/>, so two equal states are
/// one object and what was worked out for it (next states, token masks) is found again.
/// </summary>
internal sealed class GrammarNode(GrammarNodeKind kind, int id)
{
    /// <summary>What kind of expression.</summary>
    public GrammarNodeKind Kind { get; } = kind;

    /// <summary>Number within the grammar.</summary>
    public int Id { get; } = id;

    /// <summary>The bytes of a <see cref="GrammarNodeKind.Bytes"/>.</summary>
    public UInt256 Bytes { get; init; }

    /// <summary>First part of a sequence, item of a repetition.</summary>
    public GrammarNode? First { get; init; }

    /// <summary>Rest of a sequence.</summary>
    public GrammarNode? Rest { get; init; }

    /// <summary>Alternatives, by ascending id.</summary>
    public GrammarNode[] Alternatives { get; init; } = [];

    /// <summary>Least repetitions.</summary>
    public int Min { get; init; }

    /// <summary>Most repetitions; int.MaxValue is without end.</summary>
    public int Max { get; init; }

    /// <summary>What a rule stands for; set once, when the rule is written, so that rules can name each other.</summary>
    public GrammarNode? Body { get; set; }

    /// <summary>True when the empty string is in the set: everything needed is there. A rule is never empty.</summary>
    public bool IsNullable { get; init; }

    /// <summary>Next states by byte, as far as they were asked for.</summary>
    public GrammarNode?[]? Next { get; set; }

    /// <summary>Bytes of the shortest string; worked out on demand, -1 before.</summary>
    public int MinBytes { get; set; } = -1;

    /// <summary>The tokens that may follow, as far as they were asked for.</summary>
    public TokenMask? Mask { get; set; }
}
