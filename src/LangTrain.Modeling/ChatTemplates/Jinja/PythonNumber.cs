using System.Globalization;
using System.Text;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>Arithmetic as Python does it, over numbers and, where Python has it, over texts and lists. Whole numbers have 64 bits; one that does not fit is an error.</summary>
internal static class PythonNumber
{
    public static bool IsNumber(object? value) => value is long or double or bool;

    public static double AsDouble(object value) => value switch { long number => number, bool flag => flag ? 1 : 0, _ => (double)value };

    public static int Compare(object left, object right)
    {
        if (left is double || right is double)
        {
            var (a, b) = (AsDouble(left), AsDouble(right));
            return a < b ? -1 : a == b ? 0 : 1;
        }
        return AsLong(left).CompareTo(AsLong(right));
    }

    /// <summary>The shortest digits that read back as the same number, laid out as Python does.</summary>
    public static string Text(double number)
    {
        if (double.IsNaN(number)) return "nan";
        if (double.IsInfinity(number)) return number > 0 ? "inf" : "-inf";
        var shortest = Math.Abs(number).ToString("R", CultureInfo.InvariantCulture).Split('E');
        var sign = double.IsNegative(number) ? "-" : "";
        var digits = shortest[0].Replace(".", "", StringComparison.Ordinal).TrimStart('0');
        if (digits.Length == 0) return sign + "0.0";
        // The place of the first digit, as a power of ten.
        var point = shortest[0].IndexOf('.', StringComparison.Ordinal) is var dot and >= 0 ? dot : shortest[0].Length;
        var leading = shortest[0].AsSpan().IndexOfAnyInRange('1', '9');
        var exponent = (leading < point ? point - leading - 1 : point - leading) + (shortest.Length > 1 ? int.Parse(shortest[1], CultureInfo.InvariantCulture) : 0);
        digits = digits.TrimEnd('0');
        if (exponent is < -4 or >= 16)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{sign}{digits[0]}{(digits.Length > 1 ? "." + digits[1..] : "")}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
        }
        if (exponent < 0) return sign + "0." + new string('0', -exponent - 1) + digits;
        return digits.Length <= exponent + 1 ? sign + digits.PadRight(exponent + 1, '0') + ".0" : $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    public static object Unary(string operation, object? value)
    {
        if (value is Undefined missing) throw missing.Error();
        if (!IsNumber(value)) throw new ChatTemplateException($"bad operand type for unary {operation}: '{PythonValue.TypeName(value)}'");
        if (value is double number) return operation == "+" ? number : -number;
        return operation == "+" ? AsLong(value!) : Exact(() => checked(-AsLong(value!)));
    }

    /// <exception cref="ChatTemplateException">The operator is not for these values, a divisor is 0, or a whole number does not fit.</exception>
    public static object? Binary(string operation, object? left, object? right)
    {
        if ((left as Undefined ?? right as Undefined) is { } missing) throw missing.Error();
        if (IsNumber(left) && IsNumber(right)) return left is double || right is double ? Floats(operation, AsDouble(left!), AsDouble(right!)) : Integers(operation, AsLong(left!), AsLong(right!));
        if (operation == "%" && PythonValue.AsText(left) is { } format) return PythonFormat.Percent(format, right);
        if (operation == "+" && PythonValue.AsText(left) is { } head && PythonValue.AsText(right) is { } tail)
        {
            RenderLimits.Current.Take(head.Length + tail.Length);
            if (left is not Markup && right is not Markup) return head + tail;
            return new Markup((left is Markup ? head : Markup.Escape(head)) + (right is Markup ? tail : Markup.Escape(tail)));
        }
        if (operation == "+" && left is PythonList a && right is PythonList b && a.Kind == b.Kind && a.Kind is SequenceKind.List or SequenceKind.Tuple)
        {
            RenderLimits.Current.Take(a.Items.Count + b.Items.Count);
            return new PythonList([.. a.Items, .. b.Items], a.Kind);
        }
        if (operation == "*" && (right is long or bool ? Repeat(left, AsLong(right)) : left is long or bool ? Repeat(right, AsLong(left)) : null) is { } repeated) return repeated;
        throw new ChatTemplateException($"unsupported operand type(s) for {operation}: '{PythonValue.TypeName(left)}' and '{PythonValue.TypeName(right)}'");
    }

    private static object? Repeat(object? value, long times)
    {
        times = Math.Max(times, 0);
        if (PythonValue.AsText(value) is { } text)
        {
            RenderLimits.Current.Take((long)Math.Min((double)text.Length * times, long.MaxValue / 2));
            return text.Length == 0 ? "" : new StringBuilder().Insert(0, text, (int)times).ToString();
        }
        if (value is not PythonList { Kind: SequenceKind.List or SequenceKind.Tuple } list) return null;
        RenderLimits.Current.Take((long)Math.Min((double)list.Items.Count * times, long.MaxValue / 2));
        return new PythonList(list.Items.Count == 0 ? [] : [.. Enumerable.Repeat(list.Items, (int)times).SelectMany(items => items)], list.Kind);
    }

    private static long AsLong(object value) => value is bool flag ? flag ? 1 : 0 : (long)value;

    private static object Integers(string operation, long left, long right) => operation switch
    {
        "+" => (object)Exact(() => checked(left + right)),
        "-" => Exact(() => checked(left - right)),
        "*" => Exact(() => checked(left * right)),
        "/" => right == 0 ? throw Zero("division by zero") : (object)((double)left / right),
        "//" => right == 0 ? throw Zero("integer division or modulo by zero") : Exact(() => checked(left / right) - (left % right != 0 && (left < 0) != (right < 0) ? 1 : 0)),
        "%" => right == 0 ? throw Zero("integer modulo by zero") : right == -1 ? 0L : (left % right + right) % right,
        _ => right >= 0 ? Power(left, right) : left == 0 ? throw Zero("zero to a negative power") : (object)Math.Pow(left, right),
    };

    private static double Floats(string operation, double left, double right) => operation switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => right == 0 ? throw Zero("division by zero") : left / right,
        "//" => right == 0 ? throw Zero("division by zero") : Math.Floor(left / right),
        "%" => right == 0 ? throw Zero("float modulo by zero") : (left % right is var rest && rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest),
        _ => Math.Pow(left, right),
    };

    private static long Power(long value, long exponent)
    {
        var result = 1L;
        for (var i = 0L; i < exponent && value is not (0 or 1); i++)
        {
            var so = result;
            if (value == -1) return exponent % 2 == 0 ? 1L : -1L;
            result = Exact(() => checked(so * value));
        }
        return exponent == 0 ? 1L : value is 0 or 1 ? value : result;
    }

    private static long Exact(Func<long> calculate)
    {
        try
        {
            return calculate();
        }
        catch (OverflowException)
        {
            throw new ChatTemplateException("a whole number does not fit into 64 bits");
        }
    }

    private static ChatTemplateException Zero(string message) => new(message);
}
