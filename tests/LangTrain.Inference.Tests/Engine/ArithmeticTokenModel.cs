using LangTrain.Inference.Engine;

namespace LangTrain.Inference.Tests.Engine;

/// <summary>
/// A model whose logits are arithmetic over the whole sequence: they depend on every token and its place, so a wrong slot, position or chunk
/// shows in the next token. It keeps real slots and refuses a row that does not continue what its slot holds.
/// </summary>
internal sealed class ArithmeticTokenModel(int slots = 4, int slotTokens = 64, int vocabulary = 50) : ITokenModel
{
    private readonly List<int>[] _slots = [.. Enumerable.Range(0, slots).Select(_ => new List<int>())];

    public int VocabularySize => vocabulary;

    public int SlotCount => slots;

    public int SlotTokens => slotTokens;

    public long CacheBytes => 0;

    public bool Disposed { get; private set; }

    /// <summary>Each step's new tokens by row, in order.</summary>
    public List<int[]> Steps { get; } = [];

    /// <summary>Runs before each step, on the loop thread.</summary>
    public Action<IReadOnlyList<StepRow>>? BeforeStep { get; set; }

    /// <summary>Changes the logits of a sequence.</summary>
    public Action<IReadOnlyList<int>, Span<float>>? Shape { get; set; }

    public void Truncate(int slot, int length) => _slots[slot].RemoveRange(length, _slots[slot].Count - length);

    public void CopyPrefix(int from, int to, int length)
    {
        Assert.True(_slots[from].Count >= length);
        _slots[to].Clear();
        _slots[to].AddRange(_slots[from].Take(length));
    }

    public void Forward(IReadOnlyList<StepRow> rows, ILogitsSink sink)
    {
        BeforeStep?.Invoke(rows);
        Steps.Add([.. rows.Select(r => r.Count)]);
        Assert.Equal(rows.Count, rows.Select(r => r.Slot).Distinct().Count());
        foreach (var row in rows)
        {
            var slot = _slots[row.Slot];
            Assert.Equal(row.Position, slot.Count);
            Assert.True(slot.Count + row.Count <= slotTokens);
            Assert.Equal(row.Owner.Tokens[..row.Position].ToArray(), slot);
            var tokens = row.Tokens.ToArray();
            for (var i = 0; i < tokens.Length; i++)
            {
                slot.Add(tokens[i]);
                if (row.AllLogits || (row.LastLogits && i == tokens.Length - 1))
                    sink.Accept(row, i, LogitsOf(slot));
            }
        }
    }

    public float[] LogitsOf(IReadOnlyList<int> sequence)
    {
        ulong hash = 14695981039346656037;
        foreach (var id in sequence)
            hash = (hash ^ (ulong)(id + 1)) * 1099511628211;
        var logits = new float[vocabulary];
        for (var i = 0; i < vocabulary; i++)
        {
            hash = hash * 6364136223846793005 + 1442695040888963407;
            logits[i] = (hash >> 40) / (float)(1 << 24) * 8f;
        }
        Shape?.Invoke(sequence, logits);
        return logits;
    }

    /// <summary>The greedy answer, worked out without an engine.</summary>
    public List<int> Greedy(IReadOnlyList<int> prompt, int count)
    {
        var sequence = prompt.ToList();
        for (var i = 0; i < count; i++)
        {
            var logits = LogitsOf(sequence);
            sequence.Add(Array.IndexOf(logits, logits.Max()));
        }
        return sequence[prompt.Count..];
    }

    public void Dispose() => Disposed = true;
}
