using System.Globalization;
using System.Text;

namespace LangTrain.Modeling.ChatTemplates;

/// <summary>Python's <c>strftime</c> as far as chat templates go, in English.</summary>
internal static class TemplateClock
{
    /// <exception cref="FormatException">A directive is not understood.</exception>
    public static string Format(DateTimeOffset now, string format)
    {
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }
            i++;
            // %-d is glibc's way to say: without the leading zero.
            var trimmed = i < format.Length && format[i] == '-';
            if (trimmed) i++;
            if (i >= format.Length) throw new FormatException("strftime_now: the format ends in '%'");
            var part = Part(now, format[i]);
            text.Append(trimmed && part.Length > 1 ? part.TrimStart('0').PadLeft(1, '0') : part);
        }
        return text.ToString();
    }

    private static string Part(DateTimeOffset now, char directive)
    {
        string Net(string format) => now.ToString(format, CultureInfo.InvariantCulture);
        return directive switch
        {
            'Y' => Net("yyyy"),
            'y' => Net("yy"),
            'm' => Net("MM"),
            'd' => Net("dd"),
            'e' => now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            'b' or 'h' => Net("MMM"),
            'B' => Net("MMMM"),
            'a' => Net("ddd"),
            'A' => Net("dddd"),
            'H' => Net("HH"),
            'I' => Net("hh"),
            'M' => Net("mm"),
            'S' => Net("ss"),
            'p' => Net("tt"),
            'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            'w' => ((int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
            'F' => Net("yyyy-MM-dd"),
            'T' => Net("HH:mm:ss"),
            'D' => Net("MM/dd/yy"),
            'z' => Net("zzz").Replace(":", "", StringComparison.Ordinal),
            '%' => "%",
            _ => throw new FormatException($"strftime_now: %{directive} is not understood"),
        };
    }
}
