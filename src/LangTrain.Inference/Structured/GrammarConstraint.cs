namespace LangTrain.Inference.Structured;

/// <summary>
/// Holds one row to a grammar. Tokens after which the shortest valid end would not fit the row's remaining tokens any more are masked as well,
/// so an answer is whole even where it runs into its limit, as long as the limit lets any answer be.
/// </summary>
/// <remarks>Loop thread only, like the grammar it walks.</remarks>
internal sealed class GrammarConstraint(CompiledGrammar compiled) : ITokenConstraint
{
    private GrammarNode _state = compiled.Start;

    /// <inheritdoc/>
    public bool IsComplete => _state.IsNullable && !compiled.MaskOf(_state).Any;

    /// <inheritdoc/>
    public void Apply(Span<float> logits, int remainingTokens) => Apply(compiled, _state, logits, remainingTokens);

    /// <summary>Masks what a state of a grammar does not allow.</summary>
    public static void Apply(CompiledGrammar compiled, GrammarNode state, Span<float> logits, int remainingTokens)
    {
        var mask = compiled.MaskOf(state);
        // A byte may cost a token of its own: the end must fit in bytes.
        if (mask.WorstMinBytes > remainingTokens - 1)
        {
            var strict = compiled.Trie.MaskOf(compiled.Grammar, state, remainingTokens - 1);
            if (strict.Any || state.IsNullable)
                mask = strict;
        }
        var ends = compiled.EndTokens;
        Span<float> kept = stackalloc float[ends.Length];
        for (var i = 0; i < ends.Length; i++)
            kept[i] = logits[ends[i]];
        mask.Apply(logits);
        for (var i = 0; i < ends.Length; i++)
            logits[ends[i]] = state.IsNullable ? kept[i] : float.NegativeInfinity;
        if (!mask.Any && !state.IsNullable)
            throw new InvalidOperationException("No token of this model's vocabulary continues the structured answer.");
    }

    /// <inheritdoc/>
    public void Accept(int tokenId)
    {
        foreach (var value in compiled.Trie.BytesOf(tokenId))
            _state = compiled.Grammar.Next(_state, value);
    }
}
