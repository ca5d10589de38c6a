namespace LangTrain.Inference;

/// <summary>What a row may say next: the seam between the engine and structured output. Used by one row, on the loop thread.</summary>
internal interface ITokenConstraint
{
    /// <summary>True when nothing may follow: the row ends with <see cref="FinishReason.Stop"/>.</summary>
    bool IsComplete { get; }

    /// <summary>Sets the logits of all forbidden tokens to -infinity.</summary>
    /// <param name="logits">One logit a token; changed in place.</param>
    /// <param name="remainingTokens">Tokens that the row may still generate, this one included.</param>
    void Apply(Span<float> logits, int remainingTokens);

    /// <summary>Moves on by a token that <see cref="Apply"/> allowed.</summary>
    void Accept(int tokenId);
}
