namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>What a loop's body sees as <c>loop</c>.</summary>
/// <param name="items">All items of the loop.</param>
/// <param name="depth">Depth of a recursive loop, from 0.</param>
/// <param name="recurse">Runs the loop over other items; null where it is not recursive.</param>
internal sealed class LoopVariable(List<object?> items, int depth, Func<object?, string>? recurse)
{
    private int _index;
    private List<object?>? _lastChanged;

    public void Advance() => _index++;

    public object? Attribute(string name) => name switch
    {
        "index" => _index + 1L,
        "index0" => (long)_index,
        "revindex" => (long)items.Count - _index,
        "revindex0" => (long)items.Count - _index - 1,
        "first" => _index == 0,
        "last" => _index == items.Count - 1,
        "length" => (long)items.Count,
        "depth" => depth + 1L,
        "depth0" => (long)depth,
        "previtem" => _index > 0 ? items[_index - 1] : new Undefined("there is no previous item"),
        "nextitem" => _index + 1 < items.Count ? items[_index + 1] : new Undefined("there is no next item"),
        "cycle" => new JinjaFunction("cycle", arguments => arguments.Positional.Count > 0 ? arguments.Positional[_index % arguments.Positional.Count] : throw new ChatTemplateException("no items for cycling given")),
        "changed" => new JinjaFunction("changed", arguments => Changed(arguments.Positional)),
        _ => new Undefined($"'loop' has no attribute '{name}'"),
    };

    /// <summary><c>loop(items)</c> as a value to call.</summary>
    public JinjaFunction AsFunction() => new("loop", arguments => recurse is null
        ? throw new ChatTemplateException("The loop must have the 'recursive' marker to be called recursively.")
        : recurse(arguments.Bind("loop", "iterable")[0]));

    private bool Changed(IReadOnlyList<object?> values)
    {
        if (_lastChanged is not null && PythonValue.AreEqual(new PythonList(_lastChanged), new PythonList(values))) return false;
        _lastChanged = [.. values];
        return true;
    }
}
