using System.Globalization;
using System.Numerics;
using System.Text;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>What Python does with any value: truth, text, equality, order, iteration, access.</summary>
internal static class PythonValue
{
    public static readonly IEqualityComparer<object> KeyComparer = EqualityComparer<object>.Create(AreEqual, value => value switch
    {
        bool flag => (flag ? 1d : 0d).GetHashCode(),
        long number => ((double)number).GetHashCode(),
        PythonList tuple => tuple.Items.Count,
        Markup markup => markup.Text.GetHashCode(StringComparison.Ordinal),
        Undefined => 0,
        _ => value.GetHashCode(),
    });

    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or BigInteger => "int",
        double => "float",
        string => "str",
        Markup => "Markup",
        PythonDict => "dict",
        PythonList list => list.Kind switch { SequenceKind.List => "list", SequenceKind.Tuple => "tuple", SequenceKind.Range => "range", var view => $"dict_{view.ToString().ToLowerInvariant()}" },
        PythonIterator => "generator",
        PythonNamespace => "Namespace",
        LoopVariable => "LoopContext",
        JinjaFunction { IsMacro: true } => "Macro",
        JinjaFunction => "builtin_function_or_method",
        _ => value.GetType().Name,
    };

    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long number => number != 0,
        double number => number != 0,
        string text => text.Length > 0,
        Markup markup => markup.Text.Length > 0,
        PythonList list => list.Items.Count > 0,
        PythonDict dict => dict.Count > 0,
        _ => true,
    };

    /// <summary><c>str(value)</c></summary>
    public static string Text(object? value) => value switch
    {
        string text => text,
        Markup markup => markup.Text,
        Undefined => "",
        _ => Repr(value),
    };

    /// <summary><c>repr(value)</c></summary>
    public static string Repr(object? value)
    {
        var text = new StringBuilder();
        AppendRepr(text, value, 0);
        return text.ToString();
    }

    /// <summary>The text of what counts as <c>str</c>; null for anything else.</summary>
    public static string? AsText(object? value) => value is Markup markup ? markup.Text : value as string;

    public static bool AreEqual(object? left, object? right)
    {
        if (AsText(left) is { } text) return AsText(right) is { } other && text == other;
        if (PythonNumber.IsNumber(left) && PythonNumber.IsNumber(right)) return PythonNumber.Compare(left!, right!) == 0;
        RenderLimits.Current.Visit();
        return (left, right) switch
        {
            (null, null) or (Undefined, Undefined) => true,
            (PythonList a, PythonList b) => a.Kind == b.Kind && a.Items.Count == b.Items.Count && a.Items.Zip(b.Items, AreEqual).All(same => same),
            (PythonDict a, PythonDict b) => a.Count == b.Count && a.Entries.All(entry => b.TryGet(entry.Key, out var value) && AreEqual(entry.Value, value)),
            _ => ReferenceEquals(left, right),
        };
    }

    /// <summary>Below, at or above 0 as <paramref name="left"/> is less than, equal to or greater than <paramref name="right"/>; not a number is above everything.</summary>
    /// <exception cref="ChatTemplateException">There is no order between them.</exception>
    public static int Compare(object? left, object? right, string operation)
    {
        if ((left as Undefined ?? right as Undefined) is { } missing) throw missing.Error();
        if (AsText(left) is { } text && AsText(right) is { } other) return PythonText.Compare(text, other);
        if (PythonNumber.IsNumber(left) && PythonNumber.IsNumber(right)) return PythonNumber.Compare(left!, right!);
        if (left is PythonList a && right is PythonList b && a.Kind == b.Kind && a.Kind is SequenceKind.List or SequenceKind.Tuple)
        {
            RenderLimits.Current.Visit();
            for (var i = 0; i < Math.Min(a.Items.Count, b.Items.Count); i++)
            {
                if (!AreEqual(a.Items[i], b.Items[i])) return Compare(a.Items[i], b.Items[i], operation);
            }
            return a.Items.Count.CompareTo(b.Items.Count);
        }
        throw new ChatTemplateException($"'{operation}' not supported between instances of '{TypeName(left)}' and '{TypeName(right)}'");
    }

    /// <summary><c>for … in value</c>: characters of a text, keys of a dictionary, items of a list.</summary>
    /// <exception cref="ChatTemplateException">It has no items.</exception>
    public static IEnumerable<object?> Iterate(object? value) => value switch
    {
        Undefined => [],
        PythonList list => list.Items,
        PythonDict dict => dict.Keys,
        PythonIterator iterator => iterator.Rest(),
        _ when AsText(value) is { } text => PythonText.Characters(text),
        _ => throw new ChatTemplateException($"'{TypeName(value)}' object is not iterable"),
    };

    /// <summary><c>len(value)</c></summary>
    /// <exception cref="ChatTemplateException">It has no length.</exception>
    public static long Length(object? value) => value switch
    {
        Undefined => 0,
        PythonList list => list.Items.Count,
        PythonDict dict => dict.Count,
        _ when AsText(value) is { } text => PythonText.Length(text),
        _ => throw new ChatTemplateException($"object of type '{TypeName(value)}' has no len()"),
    };

    /// <summary><c>item in container</c></summary>
    /// <exception cref="ChatTemplateException">The container cannot hold such an item.</exception>
    public static bool Contains(object? container, object? item)
    {
        if (AsText(container) is { } text)
        {
            return item is Undefined missing ? throw missing.Error()
                : text.Contains(AsText(item) ?? throw new ChatTemplateException($"'in <string>' requires string as left operand, not {TypeName(item)}"), StringComparison.Ordinal);
        }
        if (container is PythonDict dict) return dict.Contains(item);
        foreach (var one in Iterate(container))
        {
            RenderLimits.Current.Step();
            if (AreEqual(one, item)) return true;
        }
        return false;
    }

    /// <summary><c>value.name</c>: an attribute, or else an entry.</summary>
    /// <exception cref="ChatTemplateException">The value is not defined, or the attribute is not for templates.</exception>
    public static object? Attribute(object? value, string name)
    {
        if (OwnAttribute(value, name) is { } found) return found.Value;
        return value is PythonDict dict && dict.TryGet(name, out var entry) ? entry : Missing(value, name);
    }

    /// <summary><c>value[key]</c>: an entry, or else an attribute.</summary>
    /// <exception cref="ChatTemplateException">The value is not defined.</exception>
    public static object? Item(object? value, object? key)
    {
        switch (value)
        {
            case Undefined missing:
                throw missing.Error();
            case PythonDict dict when PythonDict.IsHashable(key) && dict.TryGet(key, out var entry):
                return entry;
            case PythonList { HasPlaces: true } list when Place(key, list.Items.Count) is { } place:
                return list.Items[place];
            case not null when AsText(value) is { } text && Place(key, PythonText.Length(text)) is { } place:
                return PythonText.At(text, place);
        }
        return AsText(key) is { } name && OwnAttribute(value, name) is { } found ? found.Value : Missing(value, key);
    }

    /// <summary><c>value[start:stop:step]</c></summary>
    /// <exception cref="ChatTemplateException">The value has no places, or the step is 0.</exception>
    public static object? Slice(object? value, long? start, long? stop, long? step)
    {
        if (value is Undefined missing) throw missing.Error();
        if (step == 0) throw new ChatTemplateException("slice step cannot be zero");
        if (AsText(value) is { } text)
        {
            // Mostly text without characters outside the basic plane, cut without a step.
            if (step is null or 1 && !PythonText.HasSurrogates(text))
            {
                var (from, to) = Bounds(text.Length, start, stop, 1);
                return from < to ? text[(int)from..(int)to] : "";
            }
            return string.Concat(Places(PythonText.Characters(text).ToList(), start, stop, step ?? 1).Cast<string>());
        }
        if (value is not PythonList { HasPlaces: true } list) throw new ChatTemplateException($"'{TypeName(value)}' object is not subscriptable");
        var by = step ?? 1;
        var (first, end) = Bounds(list.Items.Count, start, stop, by);
        var (origin, _, each) = list.Bounds;
        return new PythonList([.. Places(list.Items, start, stop, by)], list.Kind) { Bounds = (origin + first * each, origin + end * each, by * each) };
    }

    private static IEnumerable<object?> Places(IReadOnlyList<object?> items, long? start, long? stop, long step)
    {
        var (first, end) = Bounds(items.Count, start, stop, step);
        for (var i = first; step > 0 ? i < end : i > end; i += step) yield return items[(int)i];
    }

    /// <summary>The first place of a slice, and the one it stops before; negative bounds count from the end.</summary>
    private static (long First, long End) Bounds(int count, long? start, long? stop, long step)
    {
        var (least, most) = step > 0 ? (0, count) : (-1, count - 1);
        long Place(long bound) => Math.Clamp(bound < 0 ? bound + count : bound, least, most);
        return (start is { } first ? Place(first) : step > 0 ? 0 : most, stop is { } end ? Place(end) : step > 0 ? count : -1);
    }

    private static int? Place(object? key, int count)
    {
        var place = key is long number ? number : key is bool flag ? flag ? 1 : 0 : (long?)null;
        if (place < 0) place += count;
        return place >= 0 && place < count ? (int)place : null;
    }

    /// <summary>An attribute or method that the value itself has.</summary>
    private static (object? Value, bool Found)? OwnAttribute(object? value, string name)
    {
        if (value is Undefined missing) throw missing.Error();
        if (name.StartsWith('_')) return (new Undefined($"access to attribute '{name}' of '{TypeName(value)}' object is unsafe."), true);
        return value switch
        {
            LoopVariable loop => (loop.Attribute(name), true),
            PythonNamespace space => space.Attributes.TryGetValue(name, out var attribute) ? (attribute, true) : null,
            JinjaFunction function when name == "name" && function.IsMacro => (function.Name, true),
            PythonList { IsGroup: true } group when name is "grouper" or "list" => (group.Items[name == "list" ? 1 : 0], true),
            _ => PythonMethods.Find(value, name) is { } method ? (method, true)
                : PythonMethods.Changes(value, name) ? (new Undefined($"access to attribute '{name}' of '{TypeName(value)}' object is unsafe."), true) : null,
        };
    }

    private static Undefined Missing(object? value, object? name) => new(value is null
        ? $"'None' has no attribute '{Text(name)}'"
        : $"'{TypeName(value)} object' has no attribute '{Text(name)}'");

    private static void AppendRepr(StringBuilder text, object? value, int depth)
    {
        if (depth > 100) throw new ChatTemplateException("a value is nested too deep");
        RenderLimits.Current.Step();
        RenderLimits.Current.Take(AsText(value)?.Length ?? 8);
        switch (value)
        {
            case null:
                text.Append("None");
                break;
            case bool flag:
                text.Append(flag ? "True" : "False");
                break;
            case long number:
                text.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                text.Append(PythonNumber.Text(number));
                break;
            case BigInteger large:
                text.Append(large.ToString(CultureInfo.InvariantCulture));
                break;
            case string plain:
                text.Append(PythonText.Repr(plain));
                break;
            case Markup markup:
                text.Append("Markup(").Append(PythonText.Repr(markup.Text)).Append(')');
                break;
            case Undefined:
                text.Append("Undefined");
                break;
            case PythonDict dict:
                AppendEntries(text, dict.Entries, depth);
                break;
            case PythonNamespace space:
                text.Append("<Namespace ");
                AppendEntries(text, space.Attributes.Select(entry => KeyValuePair.Create((object?)entry.Key, entry.Value)), depth);
                text.Append('>');
                break;
            case PythonList { Kind: SequenceKind.Range } range:
                text.Append(CultureInfo.InvariantCulture, $"range({range.Bounds.Start}, {range.Bounds.Stop}");
                text.Append(range.Bounds.Step == 1 ? ")" : string.Create(CultureInfo.InvariantCulture, $", {range.Bounds.Step})"));
                break;
            case PythonList list:
                var (open, close) = list.Kind switch { SequenceKind.Tuple => ("(", list.Items.Count == 1 ? ",)" : ")"), SequenceKind.List => ("[", "]"), _ => ($"{TypeName(list)}([", "])") };
                text.Append(open);
                for (var i = 0; i < list.Items.Count; i++) AppendRepr(i == 0 ? text : text.Append(", "), list.Items[i], depth + 1);
                text.Append(close);
                break;
            case JinjaFunction { IsMacro: true } macro:
                text.Append("<Macro ").Append(PythonText.Repr(macro.Name)).Append('>');
                break;
            default:
                text.Append('<').Append(TypeName(value)).Append(" object>");
                break;
        }
    }

    private static void AppendEntries(StringBuilder text, IEnumerable<KeyValuePair<object?, object?>> entries, int depth)
    {
        text.Append('{');
        var isFirst = true;
        foreach (var (key, value) in entries)
        {
            if (!isFirst) text.Append(", ");
            isFirst = false;
            AppendRepr(text, key, depth + 1);
            text.Append(": ");
            AppendRepr(text, value, depth + 1);
        }
        text.Append('}');
    }
}
