using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace LangTrain.Modeling.ChatTemplates.Jinja;

/// <summary>JSON to Python's values, and back as <c>json.dumps</c> writes it.</summary>
internal static class PythonJson
{
    /// <summary>What <c>json.loads</c> gives.</summary>
    public static object? Read(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                var dict = new PythonDict();
                foreach (var property in json.EnumerateObject()) dict[property.Name] = Read(property.Value);
                return dict;
            case JsonValueKind.Array:
                return new PythonList([.. json.EnumerateArray().Select(Read)]);
            case JsonValueKind.String:
                return json.GetString();
            case JsonValueKind.Number:
                // Whole numbers have no end in Python; of those beyond 64 bits a template can only print.
                return json.GetRawText() is var text && text.AsSpan().IndexOfAny(".eE") >= 0 ? (object)json.GetDouble() : json.TryGetInt64(out var number) ? number : (object)BigInteger.Parse(text, CultureInfo.InvariantCulture);
            case JsonValueKind.True or JsonValueKind.False:
                return json.GetBoolean();
            default:
                return null;
        }
    }

    /// <summary><c>json.dumps(value, ensure_ascii, indent, separators, sort_keys)</c></summary>
    /// <param name="value">The value.</param>
    /// <param name="indent">What each level is indented by; null for one line.</param>
    /// <param name="separators">Between items, and between key and value; null for the defaults.</param>
    /// <param name="ensureAscii">Whether other characters are written as escapes.</param>
    /// <param name="sortKeys">Whether dictionaries are sorted.</param>
    /// <exception cref="ChatTemplateException">JSON has nothing for a value.</exception>
    public static string Write(object? value, string? indent, (string Item, string Key)? separators, bool ensureAscii, bool sortKeys)
    {
        var writer = new Writer(indent, separators ?? (indent is null ? ", " : ",", ": "), ensureAscii, sortKeys);
        writer.Write(value, 0);
        return writer.Text.ToString();
    }

    private sealed class Writer(string? indent, (string Item, string Key) separators, bool ensureAscii, bool sortKeys)
    {
        public StringBuilder Text { get; } = new();

        public void Write(object? value, int depth)
        {
            if (depth > 200) throw new ChatTemplateException("a value is nested too deep");
            RenderLimits.Current.Step();
            RenderLimits.Current.Take((PythonValue.AsText(value)?.Length ?? 8) + (indent is null ? 0 : depth * indent.Length));
            switch (value)
            {
                case null or bool or long or double or BigInteger:
                    Text.Append(Scalar(value));
                    break;
                case PythonList { Kind: SequenceKind.List or SequenceKind.Tuple } list:
                    Write('[', ']', list.Items.Count, depth, i => Write(list.Items[i], depth + 1));
                    break;
                case PythonDict dict:
                    var entries = dict.Entries.ToList();
                    if (sortKeys) entries = [.. entries.Order(Comparer<KeyValuePair<object?, object?>>.Create((a, b) => PythonValue.Compare(a.Key, b.Key, "<")))];
                    Write('{', '}', entries.Count, depth, i =>
                    {
                        Quote(PythonValue.AsText(entries[i].Key) ?? (entries[i].Key is null or bool or long or double or BigInteger
                            ? Scalar(entries[i].Key) : throw new ChatTemplateException($"keys must be str, int, float, bool or None, not {PythonValue.TypeName(entries[i].Key)}")));
                        Text.Append(separators.Key);
                        Write(entries[i].Value, depth + 1);
                    });
                    break;
                default:
                    Quote(PythonValue.AsText(value) ?? throw new ChatTemplateException($"Object of type {PythonValue.TypeName(value)} is not JSON serializable"));
                    break;
            }
        }

        private void Write(char open, char close, int count, int depth, Action<int> writeItem)
        {
            Text.Append(open);
            for (var i = 0; i < count; i++)
            {
                if (i > 0) Text.Append(separators.Item);
                NewLine(depth + 1);
                writeItem(i);
            }
            if (count > 0) NewLine(depth);
            Text.Append(close);
        }

        private void NewLine(int depth)
        {
            if (indent is null) return;
            Text.Append('\n');
            for (var i = 0; i < depth; i++) Text.Append(indent);
        }

        private static string Scalar(object? value) => value switch
        {
            null => "null",
            bool flag => flag ? "true" : "false",
            double number => double.IsNaN(number) ? "NaN" : double.IsPositiveInfinity(number) ? "Infinity" : double.IsNegativeInfinity(number) ? "-Infinity" : PythonNumber.Text(number),
            _ => PythonValue.Text(value),
        };

        private void Quote(string text)
        {
            Text.Append('"');
            foreach (var c in text)
            {
                // The marks of ContentMarks go through as they are.
                if (c is '"' or '\\') Text.Append('\\').Append(c);
                else if (c is '\n' or '\r' or '\t' or '\b' or '\f') Text.Append(c switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", '\b' => "\\b", _ => "\\f" });
                else if (c < ' ' || (ensureAscii && c > '~' && c is not (>= '\uFDD0' and <= '\uFDEF'))) Text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
                else Text.Append(c);
            }
            Text.Append('"');
        }
    }
}
