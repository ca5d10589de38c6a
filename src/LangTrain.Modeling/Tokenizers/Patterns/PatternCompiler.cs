namespace LangTrain.Modeling.Tokenizers.Patterns;

/// <summary>The instructions of a compiled pattern; operands follow in the code array.</summary>
internal static class PatternOp
{
    public const int Accept = 0;
    public const int Set = 1; // set
    public const int GreedyLoop = 2; // set, min, max
    public const int PossessiveLoop = 3; // set, min, max
    public const int Split = 4; // tried first, tried second
    public const int Jump = 5; // target
    public const int LookAhead = 6; // negative, behind
    public const int LookBehind = 7; // negative, behind, width in code points
    public const int Atomic = 8; // behind
    public const int Anchor = 9; // kind
}

/// <summary>Lowers a <see cref="PatternNode"/> to code for <see cref="PatternMatcher"/>.</summary>
internal sealed class PatternCompiler
{
    private const int MaxCodeLength = 20_000;
    private readonly List<int> _code = [];
    private readonly List<CodePointSet> _sets = [];

    public int[] Code => [.. _code];

    public CodePointSet[] Sets => [.. _sets];

    /// <summary>Adds code that matches <paramref name="node"/> and accepts.</summary>
    /// <returns>Where it starts.</returns>
    public int AddEntry(PatternNode node)
    {
        var start = _code.Count;
        Emit(node);
        _code.Add(PatternOp.Accept);
        return start;
    }

    private void Emit(PatternNode node)
    {
        if (_code.Count > MaxCodeLength) throw new FormatException("the pattern is too large");
        switch (node)
        {
            case PatternNode.Empty:
                break;
            case PatternNode.Set set:
                _code.AddRange([PatternOp.Set, Add(set.Members)]);
                break;
            case PatternNode.Sequence sequence:
                foreach (var item in sequence.Items) Emit(item);
                break;
            case PatternNode.Alternatives alternatives:
                EmitAlternatives(alternatives.Items);
                break;
            case PatternNode.Repeat repeat:
                EmitRepeat(repeat);
                break;
            case PatternNode.Atomic atomic:
                EmitAtomic(atomic.Item);
                break;
            case PatternNode.Look { Ahead: true } look:
                _code.AddRange([PatternOp.LookAhead, look.Negative ? 1 : 0, 0]);
                EmitSubProgram(look.Item, _code.Count - 1);
                break;
            case PatternNode.Look look:
                var width = PatternAnalysis.FixedWidth(look.Item) ?? throw new FormatException("a look-behind of varying width");
                _code.AddRange([PatternOp.LookBehind, look.Negative ? 1 : 0, 0, width]);
                EmitSubProgram(look.Item, _code.Count - 2);
                break;
            case PatternNode.Anchor anchor:
                _code.AddRange([PatternOp.Anchor, (int)anchor.Kind]);
                break;
            default:
                throw new FormatException($"a {node.GetType().Name} node");
        }
    }

    private int Add(CodePointSet set)
    {
        _sets.Add(set);
        return _sets.Count - 1;
    }

    private void EmitSubProgram(PatternNode item, int behindSlot)
    {
        Emit(item);
        _code.Add(PatternOp.Accept);
        _code[behindSlot] = _code.Count;
    }

    private void EmitAtomic(PatternNode item)
    {
        _code.AddRange([PatternOp.Atomic, 0]);
        EmitSubProgram(item, _code.Count - 1);
    }

    private void EmitAlternatives(IReadOnlyList<PatternNode> items)
    {
        var jumps = new List<int>();
        for (var i = 0; i < items.Count; i++)
        {
            if (i == items.Count - 1)
            {
                Emit(items[i]);
                break;
            }
            _code.AddRange([PatternOp.Split, _code.Count + 3, 0]);
            var next = _code.Count - 1;
            Emit(items[i]);
            _code.AddRange([PatternOp.Jump, 0]);
            jumps.Add(_code.Count - 1);
            _code[next] = _code.Count;
        }
        foreach (var jump in jumps) _code[jump] = _code.Count;
    }

    private void EmitRepeat(PatternNode.Repeat repeat)
    {
        if (repeat.Item is PatternNode.Set set && repeat.Kind != RepeatKind.Lazy)
        {
            var op = repeat.Kind == RepeatKind.Greedy ? PatternOp.GreedyLoop : PatternOp.PossessiveLoop;
            _code.AddRange([op, Add(set.Members), repeat.Min, repeat.Max < 0 ? int.MaxValue : repeat.Max]);
            return;
        }
        if (repeat.Kind == RepeatKind.Possessive)
        {
            EmitAtomic(repeat with { Kind = RepeatKind.Greedy });
            return;
        }
        if (repeat.Max < 0 && PatternAnalysis.MayBeEmpty(repeat.Item)) throw new FormatException("an unlimited repeat of something that may be empty");
        for (var i = 0; i < repeat.Min; i++) Emit(repeat.Item);
        var lazy = repeat.Kind == RepeatKind.Lazy;
        if (repeat.Max < 0)
        {
            var loop = _code.Count;
            var exit = EmitSplit(lazy);
            Emit(repeat.Item);
            _code.AddRange([PatternOp.Jump, loop]);
            _code[exit] = _code.Count;
            return;
        }
        var exits = new List<int>();
        for (var i = repeat.Min; i < repeat.Max; i++)
        {
            exits.Add(EmitSplit(lazy));
            Emit(repeat.Item);
        }
        foreach (var exit in exits) _code[exit] = _code.Count;
    }

    /// <summary>Emits a choice between going on right here and leaving; gives the slot for the address to leave to.</summary>
    private int EmitSplit(bool leaveFirst)
    {
        var here = _code.Count + 3;
        _code.AddRange(leaveFirst ? [PatternOp.Split, 0, here] : [PatternOp.Split, here, 0]);
        return leaveFirst ? _code.Count - 2 : _code.Count - 1;
    }
}
