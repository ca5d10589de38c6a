namespace LangTrain.Inference;

/// <summary>A token of an answer (or of an echoed prompt) with its log-probability.</summary>
public sealed record TextTokenLogProbability
{
    /// <summary>The token.</summary>
    public required int TokenId { get; init; }

    /// <summary>The token's own text; a token that is only part of a character is written <c>bytes:\xe2\x9c</c>.</summary>
    public required string Text { get; init; }

    /// <summary>The token's bytes in UTF-8.</summary>
    public required IReadOnlyList<byte> Bytes { get; init; }

    /// <summary>Natural log-probability under the model's own distribution; null for a prompt's first token.</summary>
    public required float? LogProbability { get; init; }

    /// <summary>Where the token's text begins in the choice's text, in Unicode code points.</summary>
    public required int TextOffset { get; init; }

    /// <summary>The most likely tokens at this position, best first.</summary>
    public IReadOnlyList<TextTokenAlternative> Top { get; init; } = [];
}
