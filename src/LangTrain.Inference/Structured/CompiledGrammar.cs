namespace LangTrain.Inference.Structured;

/// <summary>A grammar with a model's vocabulary: what all rows of one response format share. Walked by the engine's loop thread alone.</summary>
/// <param name="grammar">The grammar.</param>
/// <param name="start">The state of an empty answer.</param>
/// <param name="trie">The vocabulary.</param>
/// <param name="endTokens">Tokens that end an answer.</param>
internal sealed class CompiledGrammar(Grammar grammar, GrammarNode start, TokenTrie trie, int[] endTokens)
{
    /// <summary>Most bytes of masks that are kept; beyond it all are dropped and made anew as they are needed.</summary>
    private const long MaxMaskBytes = 32L << 20;

    private readonly List<GrammarNode> _masked = [];

    public Grammar Grammar { get; } = grammar;

    public GrammarNode Start { get; } = start;

    public TokenTrie Trie { get; } = trie;

    public int[] EndTokens { get; } = endTokens;

    /// <summary>The tokens that a state allows, remembered.</summary>
    public TokenMask MaskOf(GrammarNode state)
    {
        if (state.Mask is { } known)
            return known;
        if (_masked.Count * (Trie.VocabularySize / 8L) > MaxMaskBytes)
        {
            foreach (var node in _masked)
                node.Mask = null;
            _masked.Clear();
        }
        _masked.Add(state);
        return state.Mask = Trie.MaskOf(Grammar, state, int.MaxValue);
    }
}
