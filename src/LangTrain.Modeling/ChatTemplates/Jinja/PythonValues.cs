using System.Text;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

// A template's values are Python's. None is null; bool, long, double and string stand for themselves; the rest is here.

/// <summary>What kind of sequence a <see cref="PythonList"/> is.</summary>
internal enum SequenceKind
{
    List,
    Tuple,
    Range,
    Keys,
    Values,
    Items,
}

/// <summary>A list, tuple, range or view of a dictionary. Templates cannot change it.</summary>
internal sealed class PythonList(IReadOnlyList<object?> items, SequenceKind kind = SequenceKind.List)
{
    public IReadOnlyList<object?> Items { get; } = items;

    public SequenceKind Kind { get; } = kind;

    /// <summary>Of a range: where it starts and stops, and its step.</summary>
    public (long Start, long Stop, long Step) Bounds { get; init; }

    /// <summary>A pair that <c>groupby</c> gives, whose parts have names.</summary>
    public bool IsGroup { get; init; }

    /// <summary>Views of dictionaries have a length and no places.</summary>
    public bool HasPlaces => Kind is SequenceKind.List or SequenceKind.Tuple or SequenceKind.Range;

    public static PythonList Tuple(params object?[] items) => new(items, SequenceKind.Tuple);
}

/// <summary>A dictionary in the order of its entries; keys are compared as Python compares them (1, 1.0 and true are one key).</summary>
internal sealed class PythonDict
{
    private static readonly object None = new();
    private readonly OrderedDictionary<object, object?> _entries = new(PythonValue.KeyComparer);

    public int Count => _entries.Count;

    public IEnumerable<KeyValuePair<object?, object?>> Entries => _entries.Select(entry => KeyValuePair.Create(entry.Key == None ? null : entry.Key, entry.Value));

    public IEnumerable<object?> Keys => _entries.Keys.Select(key => key == None ? null : key);

    public IEnumerable<object?> Values => _entries.Values;

    public object? this[object? key]
    {
        set => _entries[Hashable(key)] = value;
    }

    public bool TryGet(object? key, out object? value) => _entries.TryGetValue(Hashable(key), out value);

    public bool Contains(object? key) => _entries.ContainsKey(Hashable(key));

    /// <summary>Whether the value can be a key at all.</summary>
    public static bool IsHashable(object? key) => Unhashable(key) is null;

    private static object Hashable(object? key) => Unhashable(key) is { } part ? throw new ChatTemplateException($"unhashable type: '{PythonValue.TypeName(part)}'") : key ?? None;

    /// <summary>What in the value keeps it from being a key.</summary>
    private static object? Unhashable(object? key)
    {
        if (key is PythonDict or PythonList { Kind: not SequenceKind.Tuple }) return key;
        if (key is not PythonList tuple) return null;
        RenderLimits.Current.Visit();
        return tuple.Items.Select(Unhashable).FirstOrDefault(part => part is not null);
    }
}

/// <summary>What <c>namespace()</c> makes: the one thing whose attributes a template can set.</summary>
internal sealed class PythonNamespace
{
    public Dictionary<string, object?> Attributes { get; } = [];
}

/// <summary>What a filter such as <c>map</c> gives: items that can be gone through once.</summary>
internal sealed class PythonIterator(IEnumerable<object?> items)
{
    private readonly IEnumerator<object?> _items = items.GetEnumerator();

    public IEnumerable<object?> Rest()
    {
        // Iterators over iterators are nested calls.
        for (RenderLimits.Current.Visit(); _items.MoveNext(); RenderLimits.Current.Visit()) yield return _items.Current;
    }
}

/// <summary>A name or attribute that is not there. It prints as nothing, is false and empty; whatever else is done with it is an error with its message.</summary>
internal sealed class Undefined(string message)
{
    public ChatTemplateException Error() => new(message);
}

/// <summary>A text that counts as HTML already (filters <c>safe</c> and <c>escape</c>): what is joined to it is escaped.</summary>
internal sealed record Markup(string Text)
{
    public static string Escape(string text) => new StringBuilder(text)
        .Replace("&", "&amp;").Replace(">", "&gt;").Replace("<", "&lt;").Replace("'", "&#39;").Replace("\"", "&#34;").ToString();
}

/// <summary>Something that a template can call: a macro, a method, a function of ours.</summary>
internal sealed class JinjaFunction(string name, Func<JinjaArguments, object?> body)
{
    public string Name { get; } = name;

    /// <summary>Whether it is a macro, which prints as one.</summary>
    public bool IsMacro { get; init; }

    public object? Call(JinjaArguments arguments) => body(arguments);
}

/// <summary>The arguments of one call.</summary>
internal sealed record JinjaArguments(IReadOnlyList<object?> Positional, IReadOnlyList<KeyValuePair<string, object?>> Named)
{
    /// <summary>Stands in <see cref="Bind"/>'s answer for what was not given.</summary>
    public static readonly object Absent = new();

    /// <summary>Sorts the arguments by their parameters.</summary>
    /// <param name="function">For the error.</param>
    /// <param name="parameters">Names in order; one that ends with <c>?</c> may be left out.</param>
    /// <returns>One value a parameter, <see cref="Absent"/> where it was left out.</returns>
    /// <exception cref="ChatTemplateException">Too many arguments, an unknown name, or one is missing.</exception>
    public object?[] Bind(string function, params ReadOnlySpan<string> parameters)
    {
        if (Positional.Count > parameters.Length) throw new ChatTemplateException($"{function}() takes {parameters.Length} arguments but {Positional.Count} were given");
        var values = new object?[parameters.Length];
        Array.Fill(values, Absent);
        for (var i = 0; i < Positional.Count; i++) values[i] = Positional[i];
        foreach (var (name, value) in Named)
        {
            var place = -1;
            for (var i = 0; i < parameters.Length; i++)
            {
                if (parameters[i].AsSpan().TrimEnd('?').SequenceEqual(name)) place = i;
            }
            if (place < 0 || values[place] != Absent) throw new ChatTemplateException($"{function}() got an unexpected keyword argument '{name}'");
            values[place] = value;
        }
        for (var i = 0; i < parameters.Length; i++)
        {
            if (values[i] == Absent && !parameters[i].EndsWith('?')) throw new ChatTemplateException($"{function}() missing 1 required argument: '{parameters[i]}'");
        }
        return values;
    }
}
