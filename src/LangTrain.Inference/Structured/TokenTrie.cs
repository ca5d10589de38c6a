namespace LangTrain.Inference.Structured;

/// <summary>
/// All tokens of a vocabulary by their bytes, as one array in depth-first order: a walk goes forward only, and skips a whole branch by one
/// addition where the grammar forbids its first byte. Immutable; shared by all grammars of a model.
/// </summary>
internal sealed class TokenTrie
{
    private readonly Entry[] _entries;
    private readonly int[] _tokens; // Token ids in the order of their bytes; several may spell the same.
    private readonly byte[][] _bytes;

    /// <summary>Sorts the vocabulary.</summary>
    /// <param name="vocabularySize">Tokens of the model; those that the tokenizer lacks are never allowed.</param>
    /// <param name="bytesOf">A token's bytes; empty for tokens that are no text (special ones).</param>
    public TokenTrie(int vocabularySize, Func<int, byte[]> bytesOf)
    {
        VocabularySize = vocabularySize;
        _bytes = new byte[vocabularySize][];
        for (var id = 0; id < vocabularySize; id++)
            _bytes[id] = bytesOf(id);
        _tokens = [.. Enumerable.Range(0, vocabularySize).Where(id => _bytes[id].Length > 0)];
        Array.Sort(_tokens, (x, y) => _bytes[x].AsSpan().SequenceCompareTo(_bytes[y]) is var order && order != 0 ? order : x - y);
        MaxDepth = _tokens.Length == 0 ? 0 : _tokens.Max(id => _bytes[id].Length);
        var entries = new List<Entry>();
        Build(0, _tokens.Length, 0, entries);
        _entries = [.. entries];
    }

    /// <summary>Tokens of the model.</summary>
    public int VocabularySize { get; }

    /// <summary>Bytes of the longest token.</summary>
    public int MaxDepth { get; }

    /// <summary>A token's bytes.</summary>
    public ReadOnlySpan<byte> BytesOf(int id) => _bytes[id];

    /// <summary>The tokens that a state allows.</summary>
    /// <param name="grammar">The grammar.</param>
    /// <param name="state">The state.</param>
    /// <param name="budgetBytes">Tokens after which the shortest end is longer than this are left out; int.MaxValue leaves out none.</param>
    public TokenMask MaskOf(Grammar grammar, GrammarNode state, int budgetBytes)
    {
        var allowed = new ulong[(VocabularySize + 63) / 64];
        var states = new GrammarNode[MaxDepth + 1];
        states[0] = state;
        var (worst, any) = (0, false);
        for (var at = 0; at < _entries.Length;)
        {
            ref readonly var entry = ref _entries[at];
            var next = grammar.Next(states[entry.Depth - 1], entry.Byte);
            if (next.Kind == GrammarNodeKind.Nothing)
            {
                at = entry.End;
                continue;
            }
            states[entry.Depth] = next;
            at++;
            if (entry.TokenCount == 0)
                continue;
            var length = grammar.MinBytes(next);
            if (length > budgetBytes)
                continue;
            (worst, any) = (Math.Max(worst, length), true);
            for (var i = 0; i < entry.TokenCount; i++)
            {
                var id = _tokens[entry.FirstToken + i];
                allowed[id >> 6] |= 1UL << (id & 63);
            }
        }
        return new TokenMask(allowed, worst, any);
    }

    // Tokens low to high share their first depth bytes.
    private void Build(int low, int high, int depth, List<Entry> entries)
    {
        while (low < high && _bytes[_tokens[low]].Length == depth)
            low++; // These end at the parent, which counts them.
        while (low < high)
        {
            var value = _bytes[_tokens[low]][depth];
            var end = low;
            while (end < high && _bytes[_tokens[end]][depth] == value)
                end++;
            var ending = low;
            while (ending < end && _bytes[_tokens[ending]].Length == depth + 1)
                ending++;
            var at = entries.Count;
            entries.Add(default);
            Build(low, end, depth + 1, entries);
            entries[at] = new Entry(value, (ushort)(depth + 1), low, ending - low, entries.Count);
            low = end;
        }
    }

    private readonly record struct Entry(byte Byte, ushort Depth, int FirstToken, int TokenCount, int End);
}
