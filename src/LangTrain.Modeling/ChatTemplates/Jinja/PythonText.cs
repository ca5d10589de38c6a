using System.Globalization;
using System.Text;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>What Python's <c>str</c> does: places are code points, white space and letters are Unicode's.</summary>
internal static class PythonText
{
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001c' and <= '\u001f';

    /// <summary>The length without white space at the end.</summary>
    public static int TrimmedEnd(ReadOnlySpan<char> text)
    {
        var end = text.Length;
        while (end > 0 && IsSpace(text[end - 1])) end--;
        return end;
    }

    public static bool HasSurrogates(string text) => text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') >= 0;

    /// <summary>Length in code points.</summary>
    public static int Length(string text) => HasSurrogates(text) ? Characters(text).Count() : text.Length;

    /// <summary>The code points, each as a text.</summary>
    public static IEnumerable<object?> Characters(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var width = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 2 : 1;
            yield return text.Substring(i, width);
            i += width - 1;
        }
    }

    public static string At(string text, int place) => HasSurrogates(text) ? (string)Characters(text).ElementAt(place)! : text[place].ToString();

    /// <summary>Order by code points.</summary>
    public static int Compare(string left, string right)
    {
        for (var i = 0; i < Math.Min(left.Length, right.Length); i++)
        {
            var (a, b) = (left[i], right[i]);
            if (a == b) continue;
            // A surrogate stands for a code point above all others.
            return char.IsSurrogate(a) == char.IsSurrogate(b) ? a - b : char.IsSurrogate(a) ? 1 : -1;
        }
        return left.Length - right.Length;
    }

    /// <param name="text">The text.</param>
    /// <param name="characters">What is cut off; null is white space.</param>
    /// <param name="left">Whether at the start.</param>
    /// <param name="right">Whether at the end.</param>
    public static string Strip(string text, string? characters, bool left, bool right)
    {
        bool IsCut(char c) => characters is null ? IsSpace(c) : characters.Contains(c, StringComparison.Ordinal);
        var (start, end) = (0, text.Length);
        while (left && start < end && IsCut(text[start])) start++;
        while (right && end > start && IsCut(text[end - 1])) end--;
        return text[start..end];
    }

    public static string Upper(string text) => text.ToUpperInvariant().Replace("ß", "SS", StringComparison.Ordinal);

    public static string Lower(string text)
    {
        var lower = text.ToLowerInvariant().Replace("\u0130", "i\u0307", StringComparison.Ordinal);
        if (!text.Contains('Σ', StringComparison.Ordinal)) return lower;
        // A capital sigma at the end of a word becomes another letter than elsewhere.
        var letters = lower.ToCharArray();
        for (var i = 0; i < text.Length && letters.Length == text.Length; i++)
        {
            if (text[i] == 'Σ' && i > 0 && char.IsLetter(text[i - 1]) && (i + 1 == text.Length || !char.IsLetter(text[i + 1]))) letters[i] = 'ς';
        }
        return new string(letters);
    }

    public static string Capitalize(string text) => text.Length == 0 ? text : Upper(At(text, 0)) is var first && text[0] == 'ß' ? "Ss" + Lower(text[1..]) : first + Lower(text[At(text, 0).Length..]);

    /// <summary><c>str.title()</c>: a letter behind something that is no letter is upper case.</summary>
    public static string Title(string text)
    {
        var title = new StringBuilder(text.Length);
        var isInWord = false;
        foreach (string letter in Characters(text).Cast<string>())
        {
            title.Append(isInWord ? Lower(letter) : Upper(letter));
            isInWord = IsCased(letter);
        }
        return title.ToString();
    }

    public static bool IsCased(string letter) => Upper(letter) != letter || Lower(letter) != letter;

    public static bool IsUpper(string text) => text.Any(c => IsCased(c.ToString())) && Upper(text) == text;

    public static bool IsLower(string text) => text.Any(c => IsCased(c.ToString())) && Lower(text) == text;

    /// <summary><c>str.splitlines()</c></summary>
    public static List<string> Lines(string text, bool keepEnds = false)
    {
        var lines = new List<string>();
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is not ('\n' or '\r' or '\v' or '\f' or '\u001c' or '\u001d' or '\u001e' or '\u0085' or '\u2028' or '\u2029')) continue;
            var end = text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n' ? i + 2 : i + 1;
            lines.Add(keepEnds ? text[start..end] : text[start..i]);
            start = end;
            i = end - 1;
        }
        if (start < text.Length) lines.Add(text[start..]);
        return lines;
    }

    /// <summary><c>repr()</c> of a text.</summary>
    public static string Repr(string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var repr = new StringBuilder(text.Length + 2).Append(quote);
        foreach (string letter in Characters(text).Cast<string>())
        {
            var c = letter[0];
            if (c == quote || c == '\\') repr.Append('\\').Append(c);
            else if (c is '\n' or '\r' or '\t') repr.Append(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
            else if (IsPrintable(letter)) repr.Append(letter);
            else
            {
                var code = letter.Length == 2 ? char.ConvertToUtf32(letter, 0) : c;
                repr.Append(code < 0x100 ? "\\x" : code < 0x10000 ? "\\u" : "\\U").Append(code.ToString(code < 0x100 ? "x2" : code < 0x10000 ? "x4" : "x8", CultureInfo.InvariantCulture));
            }
        }
        return repr.Append(quote).ToString();
    }

    public static bool IsPrintable(string letter)
    {
        // The marks of ContentMarks go through as they are.
        if (letter[0] is ' ' or (>= '\uFDD0' and <= '\uFDEF')) return true;
        return CharUnicodeInfo.GetUnicodeCategory(letter, 0) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
    }
}
