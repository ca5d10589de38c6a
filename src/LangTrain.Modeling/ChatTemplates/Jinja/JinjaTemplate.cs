using System.Text;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>A parsed template. Immutable and thread-safe.</summary>
/// <remarks>Jinja 3.1 as Hugging Face transformers sets it up for chats: blocks trimmed, nothing escaped, values that cannot be changed, <c>raise_exception</c> and <c>strftime_now</c>.</remarks>
internal sealed class JinjaTemplate
{
    // The sandbox's own limit.
    private const int MaxRange = 100_000;
    private readonly IReadOnlyList<Statement> _statements;
    private readonly Dictionary<string, object?> _globals;

    /// <exception cref="ChatTemplateException">The template does not parse.</exception>
    public JinjaTemplate(string source, TimeProvider time)
    {
        _statements = JinjaParser.Parse(source);
        _globals = new()
        {
            ["range"] = new JinjaFunction("range", Range),
            ["dict"] = new JinjaFunction("dict", arguments => Pairs(arguments, new PythonDict(), (dict, key, value) => dict[key] = value)),
            ["namespace"] = new JinjaFunction("namespace", arguments => Pairs(arguments, new PythonNamespace(), (space, key, value) => space.Attributes[PythonValue.Text(key)] = value)),
            ["cycler"] = new JinjaFunction("cycler", Cycler),
            ["joiner"] = new JinjaFunction("joiner", Joiner),
            ["raise_exception"] = new JinjaFunction("raise_exception", arguments => throw new ChatTemplateException(PythonValue.Text(arguments.Bind("raise_exception", "message")[0]))),
            ["strftime_now"] = new JinjaFunction("strftime_now", arguments => TemplateClock.Format(time.GetLocalNow(), PythonValue.Text(arguments.Bind("strftime_now", "format")[0]))),
        };
    }

    /// <param name="variables">What the template sees.</param>
    /// <exception cref="ChatTemplateException">The template raised it, or failed, or used up its limits.</exception>
    public string Render(PythonDict variables)
    {
        var globals = new Scope(null);
        foreach (var (name, value) in _globals) globals.Set(name, value);
        var scope = globals.Inner();
        foreach (var (name, value) in variables.Entries) scope.Set((string)name!, value);
        var output = new StringBuilder();
        try
        {
            new RenderLimits().Run(() => Statement.Run(_statements, scope.Inner(), output));
        }
        catch (Exception e) when (e is FormatException or ArithmeticException or ArgumentException or InvalidCastException)
        {
            // What a value does not do, said by .NET instead of Python.
            throw new ChatTemplateException($"The chat template failed: {e.Message}", e);
        }
        return output.ToString();
    }

    private static PythonList Range(JinjaArguments arguments)
    {
        var given = arguments.Bind("range", "start", "stop?", "step?").Select(value => value switch
        {
            long number => number,
            bool flag => flag ? 1 : 0,
            _ when value == JinjaArguments.Absent => (long?)null,
            Undefined missing => throw missing.Error(),
            _ => throw new ChatTemplateException($"'{PythonValue.TypeName(value)}' object cannot be interpreted as an integer"),
        }).ToArray();
        var (start, stop, step) = (given[1] is null ? 0 : given[0]!.Value, given[1] ?? given[0]!.Value, given[2] ?? 1);
        if (step == 0) throw new ChatTemplateException("range() arg 3 must not be zero");
        var count = Math.Max(0, Math.Ceiling(((double)stop - start) / step));
        if (count > MaxRange) throw new ChatTemplateException($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxRange}).");
        RenderLimits.Current.Take((long)count);
        return new PythonList([.. Enumerable.Range(0, (int)count).Select(i => (object?)(start + i * step))], SequenceKind.Range) { Bounds = (start, stop, step) };
    }

    /// <summary>Fills a container with a dictionary's or list of pairs' entries, and the named arguments.</summary>
    private static T Pairs<T>(JinjaArguments arguments, T container, Action<T, object?, object?> add)
    {
        if (arguments.Positional.Count > 1) throw new ChatTemplateException($"expected at most 1 argument, got {arguments.Positional.Count}");
        foreach (var source in arguments.Positional)
        {
            var pairs = source is PythonDict dict ? PythonMethods.Items(dict).Items : PythonValue.Iterate(source);
            foreach (var pair in pairs)
            {
                if (PythonValue.Iterate(pair).ToList() is not [var key, var value]) throw new ChatTemplateException("a sequence of pairs is needed");
                add(container, key, value);
            }
        }
        foreach (var (name, value) in arguments.Named) add(container, name, value);
        return container;
    }

    private static PythonNamespace Cycler(JinjaArguments arguments)
    {
        var (items, at) = (arguments.Positional, 0);
        if (items.Count == 0) throw new ChatTemplateException("at least one item has to be provided");
        var cycler = new PythonNamespace();
        object? Move(int to)
        {
            var item = items[at];
            at = to % items.Count;
            cycler.Attributes["current"] = items[at];
            return item;
        }
        cycler.Attributes["current"] = items[0];
        cycler.Attributes["next"] = new JinjaFunction("next", _ => Move(at + 1));
        cycler.Attributes["reset"] = new JinjaFunction("reset", _ =>
        {
            Move(0);
            return null;
        });
        return cycler;
    }

    private static JinjaFunction Joiner(JinjaArguments arguments)
    {
        var separator = JinjaFilters.Given(arguments.Bind("joiner", "sep?")[0], ", ");
        var isUsed = false;
        return new JinjaFunction("joiner", _ =>
        {
            if (isUsed) return separator;
            isUsed = true;
            return "";
        });
    }
}
