using System.Globalization;
using System.Numerics;
using System.Text;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>Jinja's filters, with <c>tojson</c> as Hugging Face transformers has it (nothing escaped for HTML).</summary>
/// <remarks>Jinja documentation, "List of Builtin Filters". Those for web pages (urlize, xmlattr, striptags, wordwrap, filesizeformat) and <c>random</c> are not here.</remarks>
internal static class JinjaFilters
{
    private delegate object? Filter(object? value, JinjaArguments arguments);

    private static readonly Dictionary<string, Filter> s_filters = new()
    {
        ["abs"] = (value, _) => !PythonNumber.IsNumber(value) ? throw Wrong("abs", value) : PythonNumber.AsDouble(value!) < 0 ? PythonNumber.Unary("-", value) : PythonNumber.Unary("+", value),
        ["attr"] = (value, arguments) => Text(arguments.Bind("attr", "name")[0]) is var name && value is not PythonDict ? PythonValue.Attribute(value, name) : new Undefined($"'dict object' has no attribute '{name}'"),
        ["batch"] = (value, arguments) => Lazy(JinjaSequences.Batch(value, arguments.Bind("batch", "linecount", "fill_with?"))),
        ["capitalize"] = (value, _) => PythonText.Capitalize(Text(value)),
        ["center"] = (value, arguments) => Method(Text(value), "center", arguments with { Positional = [Given(arguments.Bind("center", "width?")[0], 80L)], Named = [] }),
        ["count"] = (value, _) => PythonValue.Length(value),
        ["default"] = Default,
        ["d"] = Default,
        ["dictsort"] = JinjaSequences.DictSort,
        ["e"] = (value, _) => value as Markup ?? new Markup(Markup.Escape(Text(value))),
        ["escape"] = (value, _) => value as Markup ?? new Markup(Markup.Escape(Text(value))),
        ["forceescape"] = (value, _) => new Markup(Markup.Escape(Text(value))),
        ["first"] = (value, _) => PythonValue.Iterate(value).Cast<object?>().DefaultIfEmpty(new Undefined("No first item, sequence was empty.")).First(),
        ["float"] = (value, arguments) => ToFloat(value) ?? Given(arguments.Bind("float", "default?")[0], 0.0),
        ["format"] = (value, arguments) => PythonFormat.Percent(Text(value), arguments.Named.Count > 0 ? Dict(arguments.Named) : PythonList.Tuple([.. arguments.Positional])),
        ["groupby"] = JinjaSequences.GroupBy,
        ["indent"] = Indent,
        ["int"] = ToInt,
        ["items"] = (value, _) => value is Undefined ? Lazy([]) : value is PythonDict dict ? Lazy(PythonMethods.Items(dict).Items) : throw new ChatTemplateException("Can only get item pairs from a mapping."),
        ["join"] = Join,
        ["last"] = (value, _) => value is PythonIterator ? throw Wrong("reversed", value) : PythonValue.Iterate(value).Cast<object?>().DefaultIfEmpty(new Undefined("No last item, sequence was empty.")).Last(),
        ["length"] = (value, _) => PythonValue.Length(value),
        ["list"] = (value, _) => new PythonList([.. PythonValue.Iterate(value)]),
        ["lower"] = (value, _) => PythonText.Lower(Text(value)),
        ["map"] = JinjaSequences.Map,
        ["max"] = (value, arguments) => JinjaSequences.Extreme(value, arguments, "max"),
        ["min"] = (value, arguments) => JinjaSequences.Extreme(value, arguments, "min"),
        ["pprint"] = (value, _) => PythonValue.Repr(value),
        ["reject"] = (value, arguments) => JinjaSequences.Select(value, arguments, byAttribute: false, keeps: false),
        ["rejectattr"] = (value, arguments) => JinjaSequences.Select(value, arguments, byAttribute: true, keeps: false),
        ["replace"] = (value, arguments) => arguments.Bind("replace", "old", "new", "count?") is var given
            ? PythonMethods.Replace(Text(value), Text(given[0]), Text(given[1]), given[2] is long count ? count : -1) : null,
        ["reverse"] = (value, _) => PythonValue.AsText(value) is { } text ? string.Concat(PythonText.Characters(text).Reverse()) : Lazy(PythonValue.Iterate(value).Reverse()),
        ["round"] = Round,
        ["safe"] = (value, _) => new Markup(Text(value)),
        ["select"] = (value, arguments) => JinjaSequences.Select(value, arguments, byAttribute: false, keeps: true),
        ["selectattr"] = (value, arguments) => JinjaSequences.Select(value, arguments, byAttribute: true, keeps: true),
        ["slice"] = (value, arguments) => Lazy(JinjaSequences.Slices(value, arguments.Bind("slice", "slices", "fill_with?"))),
        ["sort"] = JinjaSequences.Sort,
        ["string"] = (value, _) => value as Markup ?? (object)Text(value),
        ["sum"] = JinjaSequences.Sum,
        ["title"] = (value, _) => Title(Text(value)),
        ["tojson"] = ToJson,
        ["trim"] = (value, arguments) => PythonText.Strip(Text(value), arguments.Bind("trim", "chars?")[0] is var chars && chars != JinjaArguments.Absent && chars is not null ? Text(chars) : null, left: true, right: true),
        ["truncate"] = Truncate,
        ["unique"] = JinjaSequences.Unique,
        ["upper"] = (value, _) => PythonText.Upper(Text(value)),
        ["urlencode"] = (value, _) => Uri.EscapeDataString(Text(value)).Replace("%2F", "/", StringComparison.Ordinal),
        ["wordcount"] = (value, _) => WordCount(Text(value)),
    };

    /// <summary>Whether there is a filter of that name.</summary>
    public static bool Knows(string name) => s_filters.ContainsKey(name);

    /// <exception cref="ChatTemplateException">There is no such filter, or it is not for such a value or arguments.</exception>
    public static object? Apply(string name, object? value, JinjaArguments arguments) =>
        s_filters.TryGetValue(name, out var filter) ? filter(value, arguments) : throw new ChatTemplateException($"No filter named '{name}'.");

    /// <summary>An argument, or what stands in for it.</summary>
    public static object? Given(object? argument, object? byDefault) => argument == JinjaArguments.Absent ? byDefault : argument;

    private static string Text(object? value) => PythonValue.Text(value);

    private static PythonIterator Lazy(IEnumerable<object?> items) => new(items);

    private static ChatTemplateException Wrong(string filter, object? value) => value is Undefined missing ? missing.Error() : new ChatTemplateException($"bad operand type for {filter}: '{PythonValue.TypeName(value)}'");

    private static object? Method(string text, string name, JinjaArguments arguments) => PythonMethods.Find(text, name)!.Call(arguments);

    private static PythonDict Dict(IEnumerable<KeyValuePair<string, object?>> entries)
    {
        var dict = new PythonDict();
        foreach (var (key, value) in entries) dict[key] = value;
        return dict;
    }

    private static object? Default(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("default", "default_value?", "boolean?");
        var alsoFalse = PythonValue.IsTrue(Given(given[1], false));
        return value is Undefined || (alsoFalse && !PythonValue.IsTrue(value)) ? Given(given[0], "") : value;
    }

    private static string Join(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("join", "d?", "attribute?");
        var items = PythonValue.Iterate(value);
        if (Given(given[1], null) is { } attribute) items = items.Select(item => JinjaSequences.ByPath(item, attribute));
        var text = string.Join(Text(Given(given[0], "")), items.Select(Text));
        RenderLimits.Current.Take(text.Length);
        return text;
    }

    private static string Indent(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("indent", "width?", "first?", "blank?");
        var indention = Given(given[0], 4L) is long width ? new string(' ', (int)Math.Clamp(width, 0, 10_000)) : Text(given[0]);
        var (first, blank) = (PythonValue.IsTrue(Given(given[1], false)), PythonValue.IsTrue(Given(given[2], false)));
        var lines = PythonText.Lines(Text(value) + "\n");
        var text = new StringBuilder(first ? indention : "");
        for (var i = 0; i < lines.Count; i++)
        {
            if (i > 0) text.Append('\n').Append(blank || lines[i].Length > 0 ? indention : "");
            text.Append(lines[i]);
            RenderLimits.Current.Take(lines[i].Length + indention.Length);
        }
        return text.ToString();
    }

    private static object? ToInt(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("int", "default?", "base?");
        var radix = Given(given[1], 10L) is long number ? (int)number : 10;
        if (value is Undefined missing) throw missing.Error();
        if (value is long or bool) return value is bool flag ? flag ? 1L : 0L : value;
        if (PythonValue.AsText(value) is { } text && Integer(PythonText.Strip(text, null, true, true), radix) is { } integer) return integer;
        return ToFloat(value) is not { } real || !double.IsFinite(real) ? Given(given[0], 0L) : Math.Abs(real) < 9e18 ? (long)real : (object)new BigInteger(real);
    }

    private static long? Integer(string text, int radix)
    {
        if (radix == 10) return long.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
        try
        {
            var digits = text.Length > 2 && text[0] == '0' && char.IsAsciiLetter(text[1]) ? text[2..] : text;
            return Convert.ToInt64(digits, radix);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    private static double? ToFloat(object? value)
    {
        if (value is Undefined missing) throw missing.Error();
        if (PythonNumber.IsNumber(value)) return PythonNumber.AsDouble(value!);
        var text = PythonValue.AsText(value) is { } given ? PythonText.Strip(given, null, true, true) : "";
        return text.TrimStart('+', '-').ToUpperInvariant() switch
        {
            "INF" or "INFINITY" => text.StartsWith('-') ? double.NegativeInfinity : double.PositiveInfinity,
            "NAN" => double.NaN,
            _ => double.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null,
        };
    }

    private static object? Round(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("round", "precision?", "method?");
        if (!PythonNumber.IsNumber(value)) throw Wrong("round", value);
        var precision = Given(given[0], 0L) is long digits ? (int)Math.Clamp(digits, -300, 300) : 0;
        var method = Text(Given(given[1], "common"));
        var number = PythonNumber.AsDouble(value!);
        var power = Math.Pow(10, precision);
        return method switch
        {
            "common" when value is long or bool => precision >= 0 ? value : (long)(Math.Round(number * power, MidpointRounding.ToEven) / power),
            "common" => precision is >= 0 and <= 15 ? double.Parse(number.ToString("F" + precision.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : Math.Round(number * power) / power,
            "ceil" => Math.Ceiling(number * power) / power,
            "floor" => Math.Floor(number * power) / power,
            _ => throw new ChatTemplateException("method must be common, ceil or floor"),
        };
    }

    /// <summary>Upper case behind white space, hyphens and opening brackets, lower case elsewhere.</summary>
    private static string Title(string text)
    {
        var title = new StringBuilder(text.Length);
        var startsWord = true;
        foreach (string letter in PythonText.Characters(text).Cast<string>())
        {
            var isBorder = letter is "-" or "(" or "{" or "[" or "<" || PythonText.IsSpace(letter[0]);
            title.Append(startsWord ? PythonText.Upper(letter) : PythonText.Lower(letter));
            startsWord = isBorder;
        }
        return title.ToString();
    }

    private static string ToJson(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("tojson", "ensure_ascii?", "indent?", "separators?", "sort_keys?");
        var indent = Given(given[1], null) switch
        {
            null => null,
            long width => new string(' ', (int)Math.Clamp(width, 0, 1000)),
            bool flag => flag ? " " : "",
            var text => Text(text),
        };
        var separators = Given(given[2], null) is PythonList { Items.Count: 2 } pair ? (Text(pair.Items[0]), Text(pair.Items[1])) : ((string, string)?)null;
        var json = PythonJson.Write(value, indent, separators, PythonValue.IsTrue(Given(given[0], false)), PythonValue.IsTrue(Given(given[3], false)));
        RenderLimits.Current.Take(json.Length);
        return json;
    }

    private static string Truncate(object? value, JinjaArguments arguments)
    {
        var given = arguments.Bind("truncate", "length?", "killwords?", "end?", "leeway?");
        var (text, end) = (Text(value), Text(Given(given[2], "...")));
        var length = Given(given[0], 255L) is long number ? number : 255;
        var leeway = Given(given[3], 5L) is long more ? more : 5;
        if (PythonText.Length(text) <= length + leeway) return text;
        var cut = (string)PythonValue.Slice(text, 0, Math.Max(length - PythonText.Length(end), 0), null)!;
        if (PythonValue.IsTrue(Given(given[1], false))) return cut + end;
        return (cut.LastIndexOf(' ') is var space and >= 0 ? cut[..space] : cut) + end;
    }

    private static long WordCount(string text)
    {
        var (count, isInWord) = (0L, false);
        foreach (var c in text)
        {
            var isWord = c == '_' || char.IsLetterOrDigit(c);
            if (isWord && !isInWord) count++;
            isInWord = isWord;
        }
        return count;
    }
}
