namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>The filters that go through the items of a value.</summary>
internal static class JinjaSequences
{
    public static object? Map(object? value, JinjaArguments arguments)
    {
        if (arguments.Positional.Count == 0 && arguments.Named.Any(argument => argument.Key == "attribute"))
        {
            var given = arguments.Bind("map", "attribute", "default?");
            return new PythonIterator(ItemsOrNone(value).Select(item => ByPath(item, given[0], given[1])));
        }
        if (arguments.Positional.Count == 0) throw new ChatTemplateException("map requires a filter argument");
        var name = PythonValue.Text(arguments.Positional[0]);
        if (!JinjaFilters.Knows(name)) throw new ChatTemplateException($"No filter named '{name}'.");
        var rest = arguments with { Positional = [.. arguments.Positional.Skip(1)] };
        return new PythonIterator(ItemsOrNone(value).Select(item => JinjaFilters.Apply(name, item, rest)));
    }

    /// <summary>For these filters none, false and 0 are empty too.</summary>
    private static IEnumerable<object?> ItemsOrNone(object? value) => PythonValue.IsTrue(value) ? PythonValue.Iterate(value) : [];

    /// <summary><c>select</c>, <c>reject</c> and their forms for attributes: the items that a test holds for, or truth where none is named.</summary>
    public static object? Select(object? value, JinjaArguments arguments, bool byAttribute, bool keeps)
    {
        var skip = byAttribute ? 1 : 0;
        if (arguments.Positional.Count < skip) throw new ChatTemplateException("Missing parameter for attribute name");
        var path = byAttribute ? arguments.Positional[0] : null;
        var test = arguments.Positional.Count > skip ? PythonValue.Text(arguments.Positional[skip]) : null;
        var rest = arguments with { Positional = [.. arguments.Positional.Skip(skip + 1)] };
        if (test is not null && !JinjaTests.Knows(test)) throw new ChatTemplateException($"No test named '{test}'.");
        return new PythonIterator(ItemsOrNone(value).Where(item =>
        {
            RenderLimits.Current.Step();
            var looked = byAttribute ? ByPath(item, path) : item;
            return (test is null ? PythonValue.IsTrue(looked) : JinjaTests.Holds(test, looked, rest)) == keeps;
        }));
    }

    /// <summary>Follows <c>a.b.0</c> through an item.</summary>
    /// <param name="item">Where it starts.</param>
    /// <param name="path">Names and places with dots between them, or a place.</param>
    /// <param name="byDefault">What stands in where nothing is there.</param>
    public static object? ByPath(object? item, object? path, object? byDefault = null)
    {
        var parts = PythonValue.AsText(path)?.Split('.').Select(part => long.TryParse(part, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var place) ? place : (object)part) ?? [path!];
        foreach (var part in parts)
        {
            item = PythonValue.Item(item, part);
            if (item is Undefined && byDefault is not null && byDefault != JinjaArguments.Absent) item = byDefault;
        }
        return item;
    }

    public static object? Sort(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("sort", "reverse?", "case_sensitive?", "attribute?");
        var caseSensitive = PythonValue.IsTrue(JinjaFilters.Given(given[1], false));
        var paths = JinjaFilters.Given(given[2], null) is { } path ? PythonValue.AsText(path) is { } text ? text.Split(',').Select(one => (object?)one.Trim()).ToList() : [path] : null;
        object? Key(object? item) => paths is null ? Folded(item, caseSensitive) : new PythonList([.. paths.Select(one => Folded(ByPath(item, one), caseSensitive))]);
        return new PythonList(Ordered(PythonValue.Iterate(value), Key, PythonValue.IsTrue(JinjaFilters.Given(given[0], false))));
    }

    public static object? DictSort(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("dictsort", "case_sensitive?", "by?", "reverse?");
        var place = PythonValue.Text(JinjaFilters.Given(given[1], "key")) switch { "key" => 0, "value" => 1, _ => throw new ChatTemplateException("You can only sort by either \"key\" or \"value\"") };
        var caseSensitive = PythonValue.IsTrue(JinjaFilters.Given(given[0], false));
        if (value is not PythonDict dict) throw value is Undefined missing ? missing.Error() : new ChatTemplateException($"'{PythonValue.TypeName(value)}' object has no attribute 'items'");
        return new PythonList(Ordered(PythonMethods.Items(dict).Items, pair => Folded(((PythonList)pair!).Items[place], caseSensitive), PythonValue.IsTrue(JinjaFilters.Given(given[2], false))));
    }

    public static object? GroupBy(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("groupby", "attribute", "default?", "case_sensitive?");
        var caseSensitive = PythonValue.IsTrue(JinjaFilters.Given(given[2], false));
        object? Key(object? item) => Folded(ByPath(item, given[0], given[1]), caseSensitive);
        var groups = new List<object?>();
        List<object?>? current = null;
        object? last = null;
        foreach (var item in Ordered(PythonValue.Iterate(value), Key, descending: false))
        {
            var key = Key(item);
            if (current is null || !PythonValue.AreEqual(key, last))
            {
                current = [];
                groups.Add(new PythonList([ByPath(item, given[0], given[1]), new PythonList(current)], SequenceKind.Tuple) { IsGroup = true });
                last = key;
            }
            current.Add(item);
        }
        return new PythonList(groups);
    }

    public static object? Unique(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("unique", "case_sensitive?", "attribute?");
        var caseSensitive = PythonValue.IsTrue(JinjaFilters.Given(given[0], false));
        var path = JinjaFilters.Given(given[1], null);
        var seen = new PythonDict();
        return new PythonIterator(PythonValue.Iterate(value).Where(item =>
        {
            var key = Folded(path is null ? item : ByPath(item, path), caseSensitive);
            if (seen.Contains(key)) return false;
            seen[key] = true;
            return true;
        }));
    }

    public static object? Extreme(object? value, JinjaArguments arguments, string which)
    {
        var given = arguments.Bind(which, "case_sensitive?", "attribute?");
        var caseSensitive = PythonValue.IsTrue(JinjaFilters.Given(given[0], false));
        var path = JinjaFilters.Given(given[1], null);
        object? Key(object? item) => Folded(path is null ? item : ByPath(item, path), caseSensitive);
        var operation = which == "max" ? ">" : "<";
        object? best = new Undefined("No aggregated item, sequence was empty.");
        foreach (var item in PythonValue.Iterate(value))
        {
            if (best is Undefined || CompareExpression.Holds(operation, Key(item), Key(best))) best = item;
        }
        return best;
    }

    public static object? Sum(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("sum", "attribute?", "start?");
        var path = JinjaFilters.Given(given[0], null);
        return PythonValue.Iterate(value).Aggregate(JinjaFilters.Given(given[1], 0L), (sum, item) => PythonNumber.Binary("+", sum, path is null ? item : ByPath(item, path)));
    }

    public static IEnumerable<object?> Batch(object? value, object?[] given)
    {
        var size = given[0] is long number and > 0 ? (int)Math.Min(number, int.MaxValue) : throw new ChatTemplateException("batch needs a positive number");
        foreach (var chunk in PythonValue.Iterate(value).Chunk(size))
        {
            var fill = JinjaFilters.Given(given[1], null);
            yield return new PythonList(fill is null ? chunk : [.. chunk, .. Enumerable.Repeat(fill, Math.Min(size, 1_000_000) - chunk.Length)]);
        }
    }

    public static IEnumerable<object?> Slices(object? value, object?[] given)
    {
        var items = PythonValue.Iterate(value).ToList();
        var count = given[0] is long number and > 0 and <= 1_000_000 ? (int)number : throw new ChatTemplateException("slice needs a positive number");
        var (size, more, fill, at) = (items.Count / count, items.Count % count, JinjaFilters.Given(given[1], null), 0);
        for (var i = 0; i < count; i++)
        {
            var length = size + (i < more ? 1 : 0);
            List<object?> part = items.GetRange(at, length);
            if (fill is not null && i >= more) part.Add(fill);
            yield return new PythonList(part);
            at += length;
        }
    }

    /// <summary>Texts are compared without their case, unless it is asked for.</summary>
    private static object? Folded(object? value, bool caseSensitive) => !caseSensitive && PythonValue.AsText(value) is { } text ? PythonText.Lower(text) : value;

    /// <summary>Sorted, equal items in their order, also descending.</summary>
    private static List<object?> Ordered(IEnumerable<object?> items, Func<object?, object?> key, bool descending)
    {
        var comparer = Comparer<object?>.Create((a, b) =>
        {
            RenderLimits.Current.Step();
            return PythonValue.Compare(a, b, "<");
        });
        try
        {
            return [.. descending ? items.OrderByDescending(key, comparer) : items.OrderBy(key, comparer)];
        }
        catch (InvalidOperationException e) when (e.InnerException is ChatTemplateException inner)
        {
            throw inner;
        }
    }


}
