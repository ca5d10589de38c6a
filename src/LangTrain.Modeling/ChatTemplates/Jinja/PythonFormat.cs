using System.Globalization;
using System.Text;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>Python's two ways to put values into a text: <c>'%s' % x</c> and <c>'{}'.format(x)</c>.</summary>
internal static class PythonFormat
{
    /// <summary><c>format % values</c></summary>
    /// <exception cref="ChatTemplateException">The values do not fit the format.</exception>
    public static string Percent(string format, object? values)
    {
        var all = values is PythonList { Kind: SequenceKind.Tuple } tuple ? tuple.Items : [values];
        var (text, next) = (new StringBuilder(), 0);
        object? Next() => next < all.Count ? all[next++] : throw new ChatTemplateException("not enough arguments for format string");
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }
            object? value = null;
            var isNamed = ++i < format.Length && format[i] == '(';
            if (isNamed)
            {
                var close = format.IndexOf(')', i);
                if (close < 0 || values is not PythonDict dict || !dict.TryGet(format[(i + 1)..close], out value)) throw new ChatTemplateException("format requires a mapping");
                (i, next) = (close + 1, all.Count);
            }
            var flags = i;
            while (i < format.Length && format[i] is '-' or '+' or ' ' or '0' or '#') i++;
            var flag = format[flags..i];
            var width = Digits(format, ref i);
            var precision = i < format.Length && format[i] == '.' ? Digits(format, ref i, skip: 1) ?? 0 : (int?)null;
            if (i >= format.Length) throw new ChatTemplateException("incomplete format");
            if (format[i] == '%')
            {
                text.Append('%');
                continue;
            }
            if (!isNamed) value = Next();
            RenderLimits.Current.Take(width ?? 0);
            text.Append(Percent(format[i], flag, width ?? 0, precision, value));
        }
        return next >= all.Count || values is PythonDict ? text.ToString() : throw new ChatTemplateException("not all arguments converted during string formatting");
    }

    /// <summary><c>format.format(…)</c></summary>
    /// <exception cref="ChatTemplateException">The arguments do not fit the format.</exception>
    public static string Braces(string format, JinjaArguments arguments)
    {
        var (text, automatic) = (new StringBuilder(), 0);
        for (var i = 0; i < format.Length; i++)
        {
            var c = format[i];
            if (c is '{' or '}' && i + 1 < format.Length && format[i + 1] == c) i++;
            else if (c == '}') throw new ChatTemplateException("Single '}' encountered in format string");
            else if (c == '{')
            {
                var close = format.IndexOf('}', i);
                if (close < 0) throw new ChatTemplateException("Single '{' encountered in format string");
                text.Append(Field(format[(i + 1)..close], arguments, ref automatic));
                i = close;
                continue;
            }
            text.Append(c);
        }
        return text.ToString();
    }

    private static string Field(string field, JinjaArguments arguments, ref int automatic)
    {
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var (name, specification) = colon < 0 ? (field, "") : (field[..colon], field[(colon + 1)..]);
        var conversion = name.Length >= 2 && name[^2] == '!' ? name[^1] : ' ';
        if (conversion != ' ') name = name[..^2];
        var end = name.AsSpan().IndexOfAny('.', '[');
        var first = end < 0 ? name : name[..end];
        var value = first.Length == 0 ? Positional(arguments, automatic++)
            : int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? Positional(arguments, index)
            : arguments.Named.FirstOrDefault(one => one.Key == first) is { Key: not null } named ? named.Value : throw new ChatTemplateException($"'{first}'");
        for (var rest = end < 0 ? "" : name[end..]; rest.Length > 0;)
        {
            var isItem = rest[0] == '[';
            var stop = isItem ? rest.IndexOf(']', StringComparison.Ordinal) : rest.AsSpan(1).IndexOfAny('.', '[') is var at and >= 0 ? at + 1 : rest.Length;
            if (stop < 0) throw new ChatTemplateException("Missing ']' in format string");
            var key = rest[1..stop];
            value = !isItem ? PythonValue.Attribute(value, key) : PythonValue.Item(value, long.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place : key);
            rest = rest[(isItem ? stop + 1 : stop)..];
        }
        return conversion switch
        {
            'r' or 'a' => Specified(PythonValue.Repr(value), specification),
            's' => Specified(PythonValue.Text(value), specification),
            _ => Specified(value, specification),
        };
    }

    private static object? Positional(JinjaArguments arguments, int index) =>
        index < arguments.Positional.Count ? arguments.Positional[index] : throw new ChatTemplateException($"Replacement index {index} out of range for positional args tuple");

    /// <summary><c>format(value, specification)</c>: <c>[[fill]align][sign][0][width][,][.precision][type]</c></summary>
    private static string Specified(object? value, string specification)
    {
        if (specification.Length == 0) return PythonValue.Text(value);
        var i = 0;
        var fill = ' ';
        var align = '\0';
        if (specification.Length > 1 && specification[1] is '<' or '>' or '^' or '=') (fill, align, i) = (specification[0], specification[1], 2);
        else if (specification[0] is '<' or '>' or '^' or '=') (align, i) = (specification[0], 1);
        var sign = i < specification.Length && specification[i] is '+' or '-' or ' ' ? specification[i++] : '-';
        if (i < specification.Length && specification[i] == '0') (fill, align) = (align == '\0' ? ('0', '=') : (fill, align));
        var width = Digits(specification, ref i) ?? 0;
        var grouping = i < specification.Length && specification[i] is ',' or '_' ? specification[i++] : '\0';
        var precision = i < specification.Length && specification[i] == '.' ? Digits(specification, ref i, skip: 1) : null;
        var type = i < specification.Length ? specification[i++] : '\0';
        if (i < specification.Length) throw new ChatTemplateException($"Invalid format specifier '{specification}'");
        string body;
        if (value is long or double || (value is bool && type is not '\0' and not 's'))
        {
            body = Number(value, type, precision);
            if (grouping != '\0') body = Grouped(body, grouping);
            if (sign != '-' && !body.StartsWith('-')) body = sign + body;
            if (align == '\0') align = '>';
        }
        else if (type is '\0' or 's')
        {
            body = PythonValue.Text(value);
            if (precision is { } most) body = (string)PythonValue.Slice(body, 0, most, null)!;
        }
        else throw new ChatTemplateException($"Unknown format code '{type}' for object of type '{PythonValue.TypeName(value)}'");
        var missing = width - PythonText.Length(body);
        if (missing <= 0) return body;
        RenderLimits.Current.Take(missing);
        var signs = align == '=' && body.Length > 0 && body[0] is '-' or '+' or ' ' ? 1 : 0;
        return align switch
        {
            '>' => new string(fill, missing) + body,
            '^' => new string(fill, missing / 2) + body + new string(fill, missing - missing / 2),
            '=' => body[..signs] + new string(fill, missing) + body[signs..],
            _ => body + new string(fill, missing),
        };
    }

    private static string Percent(char type, string flags, int width, int? precision, object? value)
    {
        string body;
        if (type is 's' or 'r' or 'a')
        {
            if (value is Undefined missing && type != 's') throw missing.Error();
            body = type == 's' ? PythonValue.Text(value) : PythonValue.Repr(value);
            if (precision is { } most) body = (string)PythonValue.Slice(body, 0, most, null)!;
        }
        else if (type == 'c') body = value is long code ? char.ConvertFromUtf32((int)code) : PythonValue.Text(value);
        else
        {
            if (!PythonNumber.IsNumber(value)) throw new ChatTemplateException($"%{type} format: a real number is required, not {PythonValue.TypeName(value)}");
            if (type is 'd' or 'i' or 'u' && value is double real) value = (long)real;
            body = Number(value!, type is 'i' or 'u' ? 'd' : type, precision);
            if (!body.StartsWith('-') && flags.AsSpan().IndexOfAny('+', ' ') >= 0) body = (flags.Contains('+', StringComparison.Ordinal) ? '+' : ' ') + body;
            if (flags.Contains('0', StringComparison.Ordinal) && !flags.Contains('-', StringComparison.Ordinal) && body.Length < width)
            {
                var signs = body[0] is '-' or '+' or ' ' ? 1 : 0;
                return body[..signs] + new string('0', width - body.Length) + body[signs..];
            }
        }
        return flags.Contains('-', StringComparison.Ordinal) ? body.PadRight(width) : body.PadLeft(width);
    }

    private static string Number(object value, char type, int? precision)
    {
        var number = PythonNumber.AsDouble(value);
        string Net(string format) => number.ToString(format, CultureInfo.InvariantCulture);
        switch (type)
        {
            case '\0' when precision is null:
                return PythonValue.Text(value);
            case 'd' or 'n' or 'x' or 'X' or 'o' or 'b':
                if (value is double) throw new ChatTemplateException($"Unknown format code '{type}' for object of type 'float'");
                var whole = value is bool flag ? flag ? 1L : 0 : (long)value;
                var digits = type switch
                {
                    'x' => Math.Abs(whole).ToString("x", CultureInfo.InvariantCulture),
                    'X' => Math.Abs(whole).ToString("X", CultureInfo.InvariantCulture),
                    'o' => Convert.ToString(Math.Abs(whole), 8),
                    'b' => Convert.ToString(Math.Abs(whole), 2),
                    _ => Math.Abs(whole).ToString(CultureInfo.InvariantCulture),
                };
                return (whole < 0 ? "-" : "") + digits;
            case 'f' or 'F':
                return Net("F" + Digits(precision));
            case '%':
                return (number * 100).ToString("F" + Digits(precision), CultureInfo.InvariantCulture) + "%";
            case 'e' or 'E':
                return Net($"{type}{Digits(precision)}") is var text && text.IndexOf(type, StringComparison.Ordinal) is var at ? $"{text[..(at + 2)]}{text[(at + 2)..].TrimStart('0').PadLeft(2, '0')}" : "";
            case 'g' or 'G' or '\0':
                var significant = Math.Max(precision ?? 6, 1);
                var exponent = number == 0 ? 0 : int.Parse(number.ToString($"E{significant - 1}", CultureInfo.InvariantCulture).Split('E')[1], CultureInfo.InvariantCulture);
                if (exponent >= -4 && exponent < significant) return Short(Net($"F{Math.Max(significant - 1 - exponent, 0)}"));
                var scientific = Number(value, 'e', significant - 1).Split('e');
                return $"{Short(scientific[0])}e{scientific[1]}";
            default:
                throw new ChatTemplateException($"Unknown format code '{type}'");
        }
    }

    private static string Digits(int? precision) => Math.Min(precision ?? 6, 100).ToString(CultureInfo.InvariantCulture);

    private static string Short(string digits) => digits.Contains('.', StringComparison.Ordinal) ? digits.TrimEnd('0').TrimEnd('.') : digits;

    private static string Grouped(string digits, char separator)
    {
        var start = digits.StartsWith('-') ? 1 : 0;
        var end = digits.IndexOf('.', StringComparison.Ordinal) is var dot and >= 0 ? dot : digits.Length;
        for (var at = end - 3; at > start; at -= 3) digits = digits.Insert(at, separator.ToString());
        return digits;
    }

    private static int? Digits(string format, ref int i, int skip = 0)
    {
        i += skip;
        var start = i;
        while (i < format.Length && char.IsAsciiDigit(format[i])) i++;
        if (i == start) return null;
        return int.TryParse(format.AsSpan(start, i - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < 10_000_000 ? number : throw new ChatTemplateException("a width is too large");
    }
}
