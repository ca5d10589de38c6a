namespace LangTrain.Modeling.Tokenizers.Patterns;

/// <summary>What can be known about a pattern without text: widths, emptiness, first characters.</summary>
internal static class PatternAnalysis
{
    /// <summary>Its width in code points where every match has the same; null otherwise.</summary>
    public static int? FixedWidth(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.Set: return 1;
            case PatternNode.Empty or PatternNode.Look or PatternNode.Anchor: return 0;
            case PatternNode.Atomic atomic: return FixedWidth(atomic.Item);
            case PatternNode.Repeat repeat: return repeat.Min == repeat.Max ? FixedWidth(repeat.Item) * repeat.Min : null;
            case PatternNode.Sequence sequence:
                var sum = (int?)0;
                foreach (var item in sequence.Items) sum += FixedWidth(item);
                return sum;
            case PatternNode.Alternatives alternatives:
                var width = FixedWidth(alternatives.Items[0]);
                return alternatives.Items.All(item => FixedWidth(item) == width) ? width : null;
            default: return null;
        }
    }

    public static bool MayBeEmpty(PatternNode node) => node switch
    {
        PatternNode.Set => false,
        PatternNode.Atomic atomic => MayBeEmpty(atomic.Item),
        PatternNode.Repeat repeat => repeat.Min == 0 || MayBeEmpty(repeat.Item),
        PatternNode.Sequence sequence => sequence.Items.All(MayBeEmpty),
        PatternNode.Alternatives alternatives => alternatives.Items.Any(MayBeEmpty),
        _ => true,
    };

    /// <summary>Marks each ASCII character with which a match may start; all of them where a match may be empty.</summary>
    public static bool[] FirstAscii(PatternNode node)
    {
        var first = new bool[128];
        if (!Collect(node, first)) Array.Fill(first, true);
        return first;
    }

    /// <returns>Whether the node always takes a character.</returns>
    private static bool Collect(PatternNode node, bool[] first)
    {
        switch (node)
        {
            case PatternNode.Set set:
                for (var c = 0; c < 128; c++) first[c] |= set.Members.Contains(c);
                return true;
            case PatternNode.Atomic atomic: return Collect(atomic.Item, first);
            case PatternNode.Repeat repeat: return Collect(repeat.Item, first) && repeat.Min > 0;
            case PatternNode.Sequence sequence: return sequence.Items.Any(item => Collect(item, first));
            case PatternNode.Alternatives alternatives:
                var all = true;
                foreach (var item in alternatives.Items) all &= Collect(item, first);
                return all;
            default: return false;
        }
    }
}
