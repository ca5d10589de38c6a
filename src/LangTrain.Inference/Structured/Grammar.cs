using System.Runtime.CompilerServices;
using System.Text;

namespace LangTrain.Inference.Structured;

/// <summary>
/// Makes expressions and takes their derivatives: the derivative of a set by a byte is what may follow that byte. Because equal expressions are
/// one object, the derivatives form an automaton that is built as far as it is walked; a rule that contains itself (a value in an array) gives it
/// the memory of a stack, in the sequences that stand behind the rule. (Brzozowski 1964; hash-consing keeps it small.)
/// </summary>
/// <remarks>Not thread-safe: made by one thread, then walked by the engine's loop thread alone.</remarks>
internal sealed class Grammar
{
    /// <summary>Expressions that one grammar may grow to; a schema that needs more is refused, an answer that needs more fails alone.</summary>
    private const int MaxNodes = 50_000;

    private readonly Dictionary<(GrammarNodeKind, int, int, int), GrammarNode> _pairs = [];
    private readonly Dictionary<UInt256, GrammarNode> _bytes = [];
    private readonly Dictionary<string, GrammarNode> _choices = [];
    private readonly List<GrammarNode> _rules = [];
    private int _count;

    public Grammar()
    {
        Nothing = new GrammarNode(GrammarNodeKind.Nothing, NextId());
        Empty = new GrammarNode(GrammarNodeKind.Empty, NextId()) { IsNullable = true };
    }

    /// <summary>No string.</summary>
    public GrammarNode Nothing { get; }

    /// <summary>The empty string.</summary>
    public GrammarNode Empty { get; }

    /// <summary>Expressions made so far; what bounds the memory of a grammar that is walked for long.</summary>
    public int Count => _count;

    /// <summary>One byte of a set.</summary>
    public GrammarNode Bytes(UInt256 set)
    {
        if (set.IsEmpty)
            return Nothing;
        if (!_bytes.TryGetValue(set, out var node))
            _bytes[set] = node = new GrammarNode(GrammarNodeKind.Bytes, NextId()) { Bytes = set };
        return node;
    }

    /// <summary>One byte from <paramref name="low"/> to <paramref name="high"/>.</summary>
    public GrammarNode Range(int low, int high) => Bytes(UInt256.Range(low, high));

    /// <summary>One of some ASCII characters.</summary>
    public GrammarNode AnyOf(string characters)
    {
        var set = default(UInt256);
        foreach (var c in characters)
            set |= UInt256.Range(c, c);
        return Bytes(set);
    }

    /// <summary>A text, in UTF-8.</summary>
    public GrammarNode Text(string text)
    {
        var node = Empty;
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var i = bytes.Length - 1; i >= 0; i--)
            node = Sequence(Range(bytes[i], bytes[i]), node);
        return node;
    }

    /// <summary>Expressions one after the other.</summary>
    public GrammarNode Sequence(params ReadOnlySpan<GrammarNode> parts)
    {
        var node = parts[^1];
        for (var i = parts.Length - 2; i >= 0; i--)
            node = Sequence(parts[i], node);
        return node;
    }

    /// <summary>Two expressions, one after the other; nested to the right, so that what stands behind is shared.</summary>
    public GrammarNode Sequence(GrammarNode first, GrammarNode rest)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack(); // Schemas come from clients, and an overflow would end the process.
        if (first.Kind == GrammarNodeKind.Nothing || rest.Kind == GrammarNodeKind.Nothing)
            return Nothing;
        if (first.Kind == GrammarNodeKind.Empty)
            return rest;
        if (rest.Kind == GrammarNodeKind.Empty)
            return first;
        if (first.Kind == GrammarNodeKind.Sequence)
            return Sequence(first.First!, Sequence(first.Rest!, rest));
        var key = (GrammarNodeKind.Sequence, first.Id, rest.Id, 0);
        if (!_pairs.TryGetValue(key, out var node))
        {
            _pairs[key] = node = new GrammarNode(GrammarNodeKind.Sequence, NextId())
            {
                First = first,
                Rest = rest,
                IsNullable = first.IsNullable && rest.IsNullable,
            };
        }
        return node;
    }

    /// <summary>One of several expressions.</summary>
    public GrammarNode Choice(params ReadOnlySpan<GrammarNode> alternatives)
    {
        var set = new SortedDictionary<int, GrammarNode>();
        var bytes = default(UInt256);
        foreach (var alternative in alternatives)
            Collect(alternative);
        if (!bytes.IsEmpty)
        {
            var merged = Bytes(bytes);
            set[merged.Id] = merged;
        }
        if (set.Count == 0)
            return Nothing;
        if (set.Count == 1)
            return set.Values.First();
        var key = string.Join(',', set.Keys);
        if (!_choices.TryGetValue(key, out var node))
        {
            _choices[key] = node = new GrammarNode(GrammarNodeKind.Choice, NextId())
            {
                Alternatives = [.. set.Values],
                IsNullable = set.Values.Any(a => a.IsNullable),
            };
        }
        return node;

        void Collect(GrammarNode alternative)
        {
            switch (alternative.Kind)
            {
                case GrammarNodeKind.Nothing:
                    break;
                case GrammarNodeKind.Bytes:
                    bytes |= alternative.Bytes;
                    break;
                case GrammarNodeKind.Choice:
                    foreach (var inner in alternative.Alternatives)
                        Collect(inner);
                    break;
                default:
                    set[alternative.Id] = alternative;
                    break;
            }
        }
    }

    /// <summary>An expression or nothing.</summary>
    public GrammarNode Optional(GrammarNode item) => Choice(item, Empty);

    /// <summary>An expression some number of times.</summary>
    /// <param name="item">What is repeated.</param>
    /// <param name="min">Least times.</param>
    /// <param name="max">Most times; int.MaxValue is without end.</param>
    public GrammarNode Repeat(GrammarNode item, int min, int max)
    {
        if (max == 0 || item.Kind == GrammarNodeKind.Empty)
            return Empty;
        if (item.Kind == GrammarNodeKind.Nothing)
            return min == 0 ? Empty : Nothing;
        if (min == 1 && max == 1)
            return item;
        var least = item.IsNullable ? 0 : min; // An item that may be empty makes any least number true.
        var key = (GrammarNodeKind.Repeat, item.Id, least, max);
        if (!_pairs.TryGetValue(key, out var node))
            _pairs[key] = node = new GrammarNode(GrammarNodeKind.Repeat, NextId()) { First = item, Min = least, Max = max, IsNullable = least == 0 };
        return node;
    }

    /// <summary>A name whose <see cref="GrammarNode.Body"/> is set later; the body must not be nullable and must not begin with the name itself.</summary>
    public GrammarNode Rule()
    {
        var rule = new GrammarNode(GrammarNodeKind.Rule, NextId());
        _rules.Add(rule);
        return rule;
    }

    /// <summary>What may follow a byte; <see cref="Nothing"/> where the byte is not allowed.</summary>
    public GrammarNode Next(GrammarNode state, byte value)
    {
        var next = state.Next ??= new GrammarNode?[256];
        return next[value] ??= Derive(state, value);
    }

    /// <summary>Bytes of the shortest string of a state; int.MaxValue where there is none. Only after all rules have their bodies.</summary>
    public int MinBytes(GrammarNode state)
    {
        if (_rules.Count > 0 && _rules[0].MinBytes < 0)
            MeasureRules();
        return Measure(state);
    }

    private int NextId() =>
        _count < MaxNodes ? _count++ : throw new UnsupportedSchemaException("schema", "The schema is too large: it has more states than structured output keeps.");

    private GrammarNode Derive(GrammarNode state, byte value)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (state.Kind)
        {
            case GrammarNodeKind.Bytes:
                return state.Bytes.Contains(value) ? Empty : Nothing;
            case GrammarNodeKind.Sequence:
                var taken = Sequence(Next(state.First!, value), state.Rest!);
                return state.First!.IsNullable ? Choice(taken, Next(state.Rest!, value)) : taken;
            case GrammarNodeKind.Choice:
                var parts = new GrammarNode[state.Alternatives.Length];
                for (var i = 0; i < parts.Length; i++)
                    parts[i] = Next(state.Alternatives[i], value);
                return Choice(parts);
            case GrammarNodeKind.Repeat:
                var left = Repeat(state.First!, Math.Max(state.Min - 1, 0), state.Max == int.MaxValue ? state.Max : state.Max - 1);
                return Sequence(Next(state.First!, value), left);
            case GrammarNodeKind.Rule:
                return Next(state.Body!, value);
            default:
                return Nothing;
        }
    }

    // Rules may contain each other: start from "none" and improve until nothing changes.
    private void MeasureRules()
    {
        foreach (var rule in _rules)
            rule.MinBytes = int.MaxValue;
        for (var changed = true; changed;)
        {
            changed = false;
            foreach (var rule in _rules)
            {
                var length = MeasureOpen(rule.Body!);
                changed |= length < rule.MinBytes;
                rule.MinBytes = Math.Min(rule.MinBytes, length);
            }
        }
    }

    // As Measure, but nothing is remembered while rules may still improve.
    private static int MeasureOpen(GrammarNode node)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return node.Kind switch
        {
            GrammarNodeKind.Rule => node.MinBytes,
            GrammarNodeKind.Sequence => Sum(MeasureOpen(node.First!), MeasureOpen(node.Rest!)),
            GrammarNodeKind.Choice => node.Alternatives.Min(MeasureOpen),
            GrammarNodeKind.Repeat => node.Min == 0 ? 0 : Times(MeasureOpen(node.First!), node.Min),
            GrammarNodeKind.Bytes => 1,
            GrammarNodeKind.Empty => 0,
            _ => int.MaxValue,
        };
    }

    private static int Measure(GrammarNode node)
    {
        if (node.MinBytes >= 0)
            return node.MinBytes;
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return node.MinBytes = node.Kind switch
        {
            GrammarNodeKind.Sequence => Sum(Measure(node.First!), Measure(node.Rest!)),
            GrammarNodeKind.Choice => node.Alternatives.Min(Measure),
            GrammarNodeKind.Repeat => node.Min == 0 ? 0 : Times(Measure(node.First!), node.Min),
            GrammarNodeKind.Bytes => 1,
            GrammarNodeKind.Empty => 0,
            _ => int.MaxValue,
        };
    }

    private static int Sum(int x, int y) => (int)Math.Min((long)x + y, int.MaxValue);

    private static int Times(int x, int count) => (int)Math.Min((long)x * count, int.MaxValue);
}
