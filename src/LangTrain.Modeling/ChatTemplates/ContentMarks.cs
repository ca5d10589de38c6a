using System.Text;
using System.Text.Json;
using LangTrain.Modeling.Tokenizers;

namespace LangTrain.Modeling.ChatTemplates;

/// <summary>
/// Follows what people wrote through a template. Marks (noncharacters, which no text has) are put into the messages before rendering and
/// taken out of the result, where they tell which characters came from content and which message they belong to.
/// </summary>
/// <remarks>
/// Borders: marks around each content, inside its outer white space, so that <c>trim</c> works as ever. Where a template looks at how a
/// content begins or ends, that would change what it does; then only the special tokens written out in a content are marked, in their middle.
/// </remarks>
internal sealed class ContentMarks(Tokenizer tokenizer, bool borders)
{
    // U+FDD0 to U+FDEF are noncharacters. Open, border, the content, close, the message's number in hexadecimal digits from U+FDE0. Or, before a character: it is plain.
    private const char Open = '\uFDD0', Border = '\uFDD1', Close = '\uFDD2', PlainNext = '\uFDD3', Digits = '\uFDE0';

    /// <summary>A rendered text without its marks.</summary>
    /// <param name="Text">What the template rendered.</param>
    /// <param name="IsPlain">For each character whether it may not be part of a special token.</param>
    /// <param name="Contents">Where contents are, and of which message; a start of -1 where only the end of a content came out.</param>
    /// <param name="IsWhole">Whether each content came out with both its borders.</param>
    public sealed record Result(string Text, bool[] IsPlain, IReadOnlyList<(int Message, int Start, int End)> Contents, bool IsWhole);

    /// <summary>Writes messages or tools with marks in them.</summary>
    public void Write(Utf8JsonWriter writer, string name, JsonElement value)
    {
        if (name != "messages" || value.ValueKind != JsonValueKind.Array)
        {
            Write(writer, value, key: null, message: -1);
            return;
        }
        writer.WriteStartArray();
        var message = 0;
        foreach (var item in value.EnumerateArray()) Write(writer, item, key: null, message++);
        writer.WriteEndArray();
    }

    public static Result Read(string rendered)
    {
        var text = new StringBuilder(rendered.Length);
        var isPlain = new List<bool>(rendered.Length);
        var contents = new List<(int, int, int)>();
        var (inContent, nextIsPlain, isWhole, start) = (false, false, true, 0);
        for (var i = 0; i < rendered.Length; i++)
        {
            switch (rendered[i])
            {
                case Open:
                    isWhole &= !inContent && i + 1 < rendered.Length && rendered[i + 1] == Border;
                    break;
                case Border:
                    (inContent, start) = (true, text.Length);
                    break;
                case Close:
                    isWhole &= inContent;
                    contents.Add((Number(rendered, ref i), inContent ? start : -1, text.Length));
                    inContent = false;
                    break;
                case PlainNext:
                    nextIsPlain = true;
                    break;
                case >= Digits and < (char)(Digits + 16):
                    isWhole = false;
                    break;
                default:
                    text.Append(rendered[i]);
                    isPlain.Add(inContent || nextIsPlain);
                    nextIsPlain = false;
                    break;
            }
        }
        return new Result(text.ToString(), [.. isPlain], contents, isWhole && !inContent);
    }

    private void Write(Utf8JsonWriter writer, JsonElement value, string? key, int message)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in value.EnumerateObject())
                {
                    writer.WritePropertyName(property.Name);
                    Write(writer, property.Value, property.Name, message);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray()) Write(writer, item, key, message);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Mark(Clean(value.GetString()!), key, message));
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    private string Mark(string text, string? key, int message)
    {
        var (start, end) = (text.Length - text.AsSpan().TrimStart().Length, text.AsSpan().TrimEnd().Length);
        if (!borders || message < 0 || key is not ("content" or "text" or "reasoning_content") || start >= end) return MarkSpecialTokens(text);
        var number = new StringBuilder();
        foreach (var digit in message.ToString("x", System.Globalization.CultureInfo.InvariantCulture)) number.Append((char)(Digits + Convert.ToInt32(digit.ToString(), 16)));
        return $"{text[..start]}{Open}{Border}{text[start..end]}{Close}{number}{text[end..]}";
    }

    /// <summary>Reads the number behind a mark and goes to its last digit.</summary>
    private static int Number(string rendered, ref int i)
    {
        var number = 0;
        while (i + 1 < rendered.Length && rendered[i + 1] is >= Digits and < (char)(Digits + 16)) number = number * 16 + (rendered[++i] - Digits);
        return number;
    }

    private string MarkWholeTokens(string text)
    {
        var marked = new StringBuilder(text.Length);
        foreach (var (start, end, token) in tokenizer.Cut(text, []))
        {
            if (token is not { IsControl: true }) marked.Append(text, start, end - start);
            else marked.Append(text[start]).Append(Plain(text.AsSpan(start + 1, end - start - 1)));
        }
        return marked.ToString();
    }

    /// <summary>Marks the special tokens in a text, and what at its ends is a part of one and could become whole by what the template puts beside it.</summary>
    private string MarkSpecialTokens(string text)
    {
        var (start, end) = (text.Length - text.AsSpan().TrimStart().Length, text.AsSpan().TrimEnd().Length);
        if (start >= end) return text;
        var core = text.AsSpan(start, end - start);
        var (head, tail) = (0, 0);
        foreach (var token in tokenizer.ControlTokens)
        {
            for (var length = Math.Min(token.Length - 1, core.Length); length > head; length--)
            {
                if (core.StartsWith(token.AsSpan(token.Length - length))) head = length;
            }
            for (var length = Math.Min(token.Length - 1, core.Length); length > tail; length--)
            {
                if (core.EndsWith(token.AsSpan(0, length))) tail = length;
            }
        }
        if (head + tail >= core.Length) return $"{text[..start]}{Plain(core)}{text[end..]}";
        var middle = MarkWholeTokens(core[head..^tail].ToString());
        return $"{text[..start]}{Plain(core[..head])}{middle}{Plain(core[^tail..])}{text[end..]}";
    }

    private static string Plain(ReadOnlySpan<char> text)
    {
        var marked = new StringBuilder(text.Length * 2);
        foreach (var c in text) marked.Append(PlainNext).Append(c);
        return marked.ToString();
    }

    /// <summary>Noncharacters of the marks' range that a text brings along, and lone surrogates, become U+FFFD.</summary>
    private static string Clean(string text)
    {
        text = Tokenizer.WellFormed(text);
        if (text.AsSpan().IndexOfAnyInRange(Open, '\uFDEF') < 0) return text;
        return string.Create(text.Length, text, static (to, from) =>
        {
            for (var i = 0; i < to.Length; i++) to[i] = from[i] is >= Open and <= '\uFDEF' ? '\uFFFD' : from[i];
        });
    }
}
