using System.Text;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>The methods of Python's texts, lists and dictionaries that change nothing (templates run in a sandbox that allows no others).</summary>
internal static class PythonMethods
{
    private static readonly HashSet<string> s_changing = ["append", "clear", "extend", "insert", "pop", "popitem", "remove", "reverse", "setdefault", "sort", "update"];

    /// <returns>The method bound to the value; null where the type has none of that name.</returns>
    public static JinjaFunction? Find(object? value, string name)
    {
        Func<JinjaArguments, object?>? body = value switch
        {
            _ when PythonValue.AsText(value) is { } text => OfText(text, name),
            PythonDict dict => OfDict(dict, name),
            PythonList { Kind: SequenceKind.List or SequenceKind.Tuple } list => OfList(list, name),
            double number when name == "is_integer" => _ => Math.Floor(number) == number,
            _ => null,
        };
        return body is null ? null : new JinjaFunction(name, body);
    }

    /// <summary>Whether the value has a method of that name that would change it.</summary>
    public static bool Changes(object? value, string name) => value is PythonDict or PythonList { Kind: SequenceKind.List } && s_changing.Contains(name);

    private static Func<JinjaArguments, object?>? OfDict(PythonDict dict, string name) => name switch
    {
        "get" => arguments => arguments.Bind("get", "key", "default?") is var given && dict.TryGet(given[0], out var value) ? value : given[1] == JinjaArguments.Absent ? null : given[1],
        "items" => arguments => Items(dict),
        "keys" => arguments => new PythonList([.. dict.Keys], SequenceKind.Keys),
        "values" => arguments => new PythonList([.. dict.Values], SequenceKind.Values),
        "copy" => arguments => dict,
        _ => null,
    };

    public static PythonList Items(PythonDict dict) => new([.. dict.Entries.Select(entry => (object?)PythonList.Tuple(entry.Key, entry.Value))], SequenceKind.Items);

    private static Func<JinjaArguments, object?>? OfList(PythonList list, string name) => name switch
    {
        "count" => arguments => arguments.Bind("count", "value")[0] is var item ? list.Items.LongCount(one => PythonValue.AreEqual(one, item)) : 0L,
        "index" => arguments => arguments.Bind("index", "value")[0] is var item && list.Items.ToList().FindIndex(one => PythonValue.AreEqual(one, item)) is var at and >= 0
            ? (long)at : throw new ChatTemplateException("the item is not in the list"),
        "copy" when list.Kind == SequenceKind.List => arguments => list,
        _ => null,
    };

    private static Func<JinjaArguments, object?>? OfText(string text, string name) => name switch
    {
        "upper" => _ => PythonText.Upper(text),
        "lower" or "casefold" => _ => PythonText.Lower(text),
        "capitalize" => _ => PythonText.Capitalize(text),
        "title" => _ => PythonText.Title(text),
        "swapcase" => _ => string.Concat(PythonText.Characters(text).Cast<string>().Select(c => PythonText.IsUpper(c) ? PythonText.Lower(c) : PythonText.Upper(c))),
        "strip" or "lstrip" or "rstrip" => arguments => PythonText.Strip(text, OptionalText(arguments.Bind(name, "chars?")[0]), name != "rstrip", name != "lstrip"),
        "startswith" or "endswith" => arguments => Affix(text, name, arguments.Bind(name, "prefix", "start?", "end?")),
        "removeprefix" => arguments => Needed(arguments.Bind(name, "prefix")[0]) is var prefix && text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text,
        "removesuffix" => arguments => Needed(arguments.Bind(name, "suffix")[0]) is var suffix && text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text,
        "split" or "rsplit" => arguments => Split(text, name == "rsplit", arguments.Bind(name, "sep?", "maxsplit?")),
        "splitlines" => arguments => Texts(PythonText.Lines(text, arguments.Bind(name, "keepends?")[0] is var keep && keep != JinjaArguments.Absent && PythonValue.IsTrue(keep))),
        "partition" or "rpartition" => arguments => Partition(text, Needed(arguments.Bind(name, "sep")[0]), fromEnd: name == "rpartition"),
        "replace" => arguments => Replace(text, arguments.Bind(name, "old", "new", "count?")),
        "find" or "rfind" or "index" or "rindex" or "count" => arguments => Search(text, name, arguments.Bind(name, "sub", "start?", "end?")),
        "join" => arguments => Join(text, arguments.Bind(name, "iterable")[0]),
        "ljust" or "rjust" or "center" or "zfill" => arguments => Pad(text, name, arguments),
        "format" => arguments => PythonFormat.Braces(text, arguments),
        "expandtabs" => arguments => ExpandTabs(text, Number(arguments.Bind(name, "tabsize?")[0], 8)),
        "isdigit" => _ => All(text, c => char.IsDigit(c) || c is '²' or '³' or '¹'),
        "isdecimal" => _ => All(text, char.IsDigit),
        "isnumeric" => _ => All(text, char.IsNumber),
        "isalpha" => _ => All(text, char.IsLetter),
        "isalnum" => _ => All(text, c => char.IsLetter(c) || char.IsNumber(c)),
        "isspace" => _ => All(text, PythonText.IsSpace),
        "isupper" => _ => PythonText.IsUpper(text),
        "islower" => _ => PythonText.IsLower(text),
        "istitle" => _ => text.Any(c => PythonText.IsCased(c.ToString())) && PythonText.Title(text) == text,
        "isascii" => _ => text.All(char.IsAscii),
        "isidentifier" => _ => text.Length > 0 && !char.IsDigit(text[0]) && text.All(c => c == '_' || char.IsLetterOrDigit(c)),
        "isprintable" => _ => PythonText.Characters(text).Cast<string>().All(PythonText.IsPrintable),
        _ => null,
    };

    private static bool All(string text, Func<char, bool> test) => text.Length > 0 && text.All(test);

    private static string Needed(object? value) => PythonValue.AsText(value) ?? (value is Undefined missing ? throw missing.Error() : throw new ChatTemplateException($"expected a str, got {PythonValue.TypeName(value)}"));

    private static string? OptionalText(object? value) => value == JinjaArguments.Absent || value is null ? null : Needed(value);

    private static long Number(object? value, long byDefault) => value == JinjaArguments.Absent || value is null ? byDefault
        : value is long number ? number : value is bool flag ? flag ? 1 : 0 : throw new ChatTemplateException($"'{PythonValue.TypeName(value)}' object cannot be interpreted as an integer");

    private static PythonList Texts(IEnumerable<string> texts) => new([.. texts]);

    private static bool Affix(string text, string name, object?[] given)
    {
        text = (string)PythonValue.Slice(text, Number(given[1], 0), given[2] == JinjaArguments.Absent ? null : Number(given[2], 0), null)!;
        var affixes = given[0] is PythonList { Kind: SequenceKind.Tuple } tuple ? tuple.Items.Select(Needed) : [Needed(given[0])];
        return affixes.Any(affix => name == "startswith" ? text.StartsWith(affix, StringComparison.Ordinal) : text.EndsWith(affix, StringComparison.Ordinal));
    }

    private static PythonList Split(string text, bool fromEnd, object?[] given)
    {
        var most = Number(given[1], -1);
        if (most < 0) most = long.MaxValue;
        var separator = OptionalText(given[0]);
        if (separator?.Length == 0) throw new ChatTemplateException("empty separator");
        var parts = new List<string>();
        if (separator is null) return Texts(fromEnd ? WordsFromEnd(text, most) : Words(text, most));
        var rest = text.AsSpan();
        if (fromEnd)
        {
            while (parts.Count < most && rest.LastIndexOf(separator) is var at and >= 0)
            {
                parts.Add(rest[(at + separator.Length)..].ToString());
                rest = rest[..at];
            }
            parts.Add(rest.ToString());
            parts.Reverse();
        }
        else
        {
            while (parts.Count < most && rest.IndexOf(separator) is var at and >= 0)
            {
                parts.Add(rest[..at].ToString());
                rest = rest[(at + separator.Length)..];
            }
            parts.Add(rest.ToString());
        }
        return Texts(parts);
    }

    /// <summary>Words between white space; behind the last cut that is allowed, all the rest.</summary>
    private static List<string> Words(string text, long most)
    {
        var words = new List<string>();
        for (var at = 0; ;)
        {
            while (at < text.Length && PythonText.IsSpace(text[at])) at++;
            if (at == text.Length) return words;
            var start = at;
            if (words.Count == most)
            {
                words.Add(text[start..]);
                return words;
            }
            while (at < text.Length && !PythonText.IsSpace(text[at])) at++;
            words.Add(text[start..at]);
        }
    }

    private static List<string> WordsFromEnd(string text, long most)
    {
        var words = new List<string>();
        for (var end = PythonText.TrimmedEnd(text); end > 0; end = PythonText.TrimmedEnd(text.AsSpan(0, end)))
        {
            if (words.Count == most)
            {
                words.Add(text[..end]);
                break;
            }
            var start = end;
            while (start > 0 && !PythonText.IsSpace(text[start - 1])) start--;
            words.Add(text[start..end]);
            end = start;
        }
        words.Reverse();
        return words;
    }

    private static PythonList Partition(string text, string separator, bool fromEnd)
    {
        if (separator.Length == 0) throw new ChatTemplateException("empty separator");
        var at = fromEnd ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
        return at >= 0 ? PythonList.Tuple(text[..at], separator, text[(at + separator.Length)..]) : fromEnd ? PythonList.Tuple("", "", text) : PythonList.Tuple(text, "", "");
    }

    private static string Replace(string text, object?[] given)
    {
        var (old, replacement, count) = (Needed(given[0]), Needed(given[1]), Number(given[2], -1));
        return Replace(text, old, replacement, count);
    }

    /// <summary>Replaces from the start, at most so many; all where the count is negative.</summary>
    public static string Replace(string text, string old, string replacement, long count)
    {
        var result = new StringBuilder(text.Length);
        var left = count < 0 ? long.MaxValue : count;
        if (old.Length == 0)
        {
            foreach (string character in PythonText.Characters(text).Cast<string>()) result.Append(left-- > 0 ? replacement : "").Append(character);
            result.Append(left > 0 ? replacement : "");
        }
        else
        {
            var done = 0;
            for (int at; left > 0 && (at = text.IndexOf(old, done, StringComparison.Ordinal)) >= 0; left--)
            {
                RenderLimits.Current.Take(at - done + replacement.Length);
                result.Append(text, done, at - done).Append(replacement);
                done = at + old.Length;
            }
            result.Append(text, done, text.Length - done);
        }
        RenderLimits.Current.Take(result.Length);
        return result.ToString();
    }

    private static long Search(string text, string name, object?[] given)
    {
        var part = Needed(given[0]);
        var start = Number(given[1], 0);
        if (start < 0) start = Math.Max(0, start + PythonText.Length(text));
        var within = (string)PythonValue.Slice(text, start, given[2] == JinjaArguments.Absent ? null : Number(given[2], 0), null)!;
        if (name == "count")
        {
            if (part.Length == 0) return PythonText.Length(within) + 1;
            var count = 0L;
            for (var at = within.IndexOf(part, StringComparison.Ordinal); at >= 0; at = within.IndexOf(part, at + part.Length, StringComparison.Ordinal)) count++;
            return count;
        }
        var found = name is "find" or "index" ? within.IndexOf(part, StringComparison.Ordinal) : within.LastIndexOf(part, StringComparison.Ordinal);
        if (found < 0) return name is "find" or "rfind" ? -1 : throw new ChatTemplateException("substring not found");
        return start + PythonText.Length(within[..found]);
    }

    private static string Join(string separator, object? items)
    {
        var result = string.Join(separator, PythonValue.Iterate(items).Select(Needed));
        RenderLimits.Current.Take(result.Length);
        return result;
    }

    private static string ExpandTabs(string text, long size)
    {
        var (result, column) = (new StringBuilder(text.Length), 0L);
        foreach (var c in text)
        {
            var width = c != '\t' ? 1 : size > 0 ? size - column % size : 0;
            RenderLimits.Current.Take(width);
            result.Append(c == '\t' ? new string(' ', (int)width) : c.ToString());
            column = c is '\n' or '\r' ? 0 : column + width;
        }
        return result.ToString();
    }

    private static string Pad(string text, string name, JinjaArguments arguments)
    {
        var given = arguments.Bind(name, "width", "fillchar?");
        var missing = Number(given[0], 0) - PythonText.Length(text);
        if (missing <= 0) return text;
        RenderLimits.Current.Take(missing);
        var fill = name == "zfill" ? '0' : OptionalText(given[1]) is { } one ? one.Length == 1 ? one[0] : throw new ChatTemplateException("The fill character must be exactly one character long") : ' ';
        string Fill(long count) => new(fill, (int)count);
        if (name == "zfill") return text.StartsWith('-') || text.StartsWith('+') ? text[0] + Fill(missing) + text[1..] : Fill(missing) + text;
        if (name == "ljust") return text + Fill(missing);
        if (name == "rjust") return Fill(missing) + text;
        // Python's way to share an odd number.
        var left = missing / 2 + (missing & (PythonText.Length(text) + missing) & 1);
        return Fill(left) + text + Fill(missing - left);
    }
}
