namespace LangTrain.Modeling.Tokenizers.Patterns;

/// <summary>Runs a pattern's code over one text. A choice that may have to be taken back is an entry of three numbers on a growing stack.</summary>
internal ref struct PatternMatcher(ReadOnlySpan<int> code, ReadOnlySpan<CodePointSet> sets, ReadOnlySpan<char> text, Span<int> stack)
{
    private const int NoLoop = -1;
    private readonly ReadOnlySpan<int> _code = code;
    private readonly ReadOnlySpan<CodePointSet> _sets = sets;
    private readonly ReadOnlySpan<char> _text = text;
    private Span<int> _stack = stack;
    private int _top;
    private long _backtracks;

    /// <summary>The end of the match of the code at <paramref name="pc"/>, started at <paramref name="position"/>, or -1.</summary>
    public int Run(int pc, int position)
    {
        var floor = _top;
        while (true)
        {
            bool ok;
            switch (_code[pc])
            {
                case PatternOp.Accept:
                    _top = floor;
                    return position;
                case PatternOp.Set:
                    ok = TryTake(_sets[_code[pc + 1]], ref position);
                    pc += 2;
                    break;
                case PatternOp.GreedyLoop:
                    ok = Loop(pc, ref position, canGiveBack: true);
                    pc += 4;
                    break;
                case PatternOp.PossessiveLoop:
                    ok = Loop(pc, ref position, canGiveBack: false);
                    pc += 4;
                    break;
                case PatternOp.Split:
                    Push(_code[pc + 2], position, NoLoop);
                    pc = _code[pc + 1];
                    continue;
                case PatternOp.Jump:
                    pc = _code[pc + 1];
                    continue;
                case PatternOp.LookAhead:
                    ok = Run(pc + 3, position) >= 0 != (_code[pc + 1] != 0);
                    pc = _code[pc + 2];
                    break;
                case PatternOp.LookBehind:
                    ok = LooksBehind(pc, position) != (_code[pc + 1] != 0);
                    pc = _code[pc + 2];
                    break;
                case PatternOp.Atomic:
                    var end = Run(pc + 2, position);
                    ok = end >= 0;
                    position = end;
                    pc = _code[pc + 1];
                    break;
                case PatternOp.Anchor:
                    ok = Holds((AnchorKind)_code[pc + 1], position);
                    pc += 2;
                    break;
                default:
                    throw new InvalidOperationException("A pattern's code is damaged.");
            }
            if (!ok && !Backtrack(floor, ref pc, ref position)) return -1;
        }
    }

    private readonly bool TryTake(CodePointSet set, ref int position)
    {
        if (position >= _text.Length) return false;
        int c = _text[position];
        var width = 1;
        if (char.IsHighSurrogate((char)c) && position + 1 < _text.Length && char.IsLowSurrogate(_text[position + 1]))
        {
            c = char.ConvertToUtf32((char)c, _text[position + 1]);
            width = 2;
        }
        if (!set.Contains(c)) return false;
        position += width;
        return true;
    }

    private bool Loop(int pc, ref int position, bool canGiveBack)
    {
        var set = _sets[_code[pc + 1]];
        var min = _code[pc + 2];
        var max = _code[pc + 3];
        var least = position;
        var count = 0;
        while (count < max)
        {
            if (position < _text.Length && _text[position] < 128)
            {
                if (!set.ContainsAscii(_text[position])) break;
                position++;
            }
            else if (!TryTake(set, ref position))
            {
                break;
            }
            if (++count == min) least = position;
        }
        if (count < min) return false;
        if (canGiveBack && position > least) Push(pc + 4, position, least);
        return true;
    }

    private void Push(int pc, int position, int least)
    {
        if (_top + 3 > _stack.Length)
        {
            var larger = new int[_stack.Length * 2];
            _stack.CopyTo(larger);
            _stack = larger;
        }
        _stack[_top] = pc;
        _stack[_top + 1] = position;
        _stack[_top + 2] = least;
        _top += 3;
    }

    private bool Backtrack(int floor, ref int pc, ref int position)
    {
        if (_top == floor) return false;
        // Real patterns take back a few choices a piece; only a malicious one comes anywhere near this.
        if (++_backtracks > 10_000_000 + 64L * _text.Length) throw new EndlessPatternException();
        pc = _stack[_top - 3];
        position = _stack[_top - 2];
        var least = _stack[_top - 1];
        if (least == NoLoop)
        {
            _top -= 3;
            return true;
        }
        // A greedy loop gives back one code point, and stays on the stack while it has more to give.
        position -= position - 2 >= least && char.IsLowSurrogate(_text[position - 1]) && char.IsHighSurrogate(_text[position - 2]) ? 2 : 1;
        if (position > least) _stack[_top - 2] = position;
        else _top -= 3;
        return true;
    }

    private bool LooksBehind(int pc, int position)
    {
        var start = position;
        for (var left = _code[pc + 3]; left > 0; left--)
        {
            if (start == 0) return false;
            start -= start >= 2 && char.IsLowSurrogate(_text[start - 1]) && char.IsHighSurrogate(_text[start - 2]) ? 2 : 1;
        }
        return Run(pc + 4, start) == position;
    }

    private readonly bool Holds(AnchorKind kind, int position) => kind switch
    {
        AnchorKind.TextStart => position == 0,
        AnchorKind.TextEnd => position == _text.Length,
        AnchorKind.TextEndOrLastNewline => position == _text.Length || (position == _text.Length - 1 && _text[position] == '\n'),
        AnchorKind.LineStart => position == 0 || (_text[position - 1] == '\n' && position < _text.Length),
        AnchorKind.LineEnd => position == _text.Length || _text[position] == '\n',
        AnchorKind.WordBoundary => IsWordBefore(position) != IsWordAt(position),
        AnchorKind.NotWordBoundary => IsWordBefore(position) == IsWordAt(position),
        _ => false,
    };

    private readonly bool IsWordAt(int position) =>
        position < _text.Length && CodePointSet.IsWord(char.IsHighSurrogate(_text[position]) && position + 1 < _text.Length && char.IsLowSurrogate(_text[position + 1])
            ? char.ConvertToUtf32(_text[position], _text[position + 1])
            : _text[position]);

    private readonly bool IsWordBefore(int position) =>
        position > 0 && IsWordAt(position >= 2 && char.IsLowSurrogate(_text[position - 1]) && char.IsHighSurrogate(_text[position - 2]) ? position - 2 : position - 1);
}
