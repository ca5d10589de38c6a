using System.Buffers;
using System.Text.Unicode;

namespace LangTrain.Training.Data;

/// <summary>A row that is nothing but texts, read in one pass: most rows, for which a JSON document costs as much as their tokens.</summary>
/// <remarks>Whatever is not plainly such a row (another kind of value, a key given twice, anything wrong) is left to the JSON reader, which says what is wrong.</remarks>
internal sealed class TextRow
{
    private const int OtherKey = -1, KeyOfOtherRows = -2;
    // What ends a run of characters that stand for themselves: an escape, the text's end, and what a JSON text may not hold.
    private static readonly SearchValues<byte> Stops = SearchValues.Create([.. Enumerable.Range(0, 32).Select(c => (byte)c), (byte)'"', (byte)'\\']);
    private readonly string?[] _values = new string?[5];
    private char[] _characters = [];

    public string? Text => _values[0];

    public string? Prompt => _values[1];

    public string? Completion => _values[2];

    public string? Chosen => _values[3];

    public string? Rejected => _values[4];

    /// <summary>Reads a line, in place of the one that was read before.</summary>
    /// <param name="line">JSON in UTF-8, not checked.</param>
    /// <returns>Whether it is an object of texts.</returns>
    public bool TryRead(ReadOnlySpan<byte> line)
    {
        Array.Clear(_values);
        // A text has at most as many characters as bytes.
        _characters = ArrayPool<char>.Shared.Rent(line.Length);
        try
        {
            return TryReadObject(TrimStart(line));
        }
        finally
        {
            ArrayPool<char>.Shared.Return(_characters);
        }
    }

    private bool TryReadObject(ReadOnlySpan<byte> rest)
    {
        if (!Take(ref rest, '{')) return false;
        do
        {
            if (!TakeText(ref rest, out var length)) return false;
            var key = KeyOf(_characters.AsSpan(0, length));
            if (key == KeyOfOtherRows || !Take(ref rest, ':') || !TakeText(ref rest, out length)) return false;
            if (key == OtherKey) continue;
            if (_values[key] is not null) return false;
            _values[key] = new string(_characters, 0, length);
        }
        while (Take(ref rest, ','));
        return Take(ref rest, '}') && rest.IsEmpty;
    }

    private static int KeyOf(ReadOnlySpan<char> name) => name switch
    {
        "text" => 0,
        "prompt" => 1,
        "completion" => 2,
        "chosen" => 3,
        "rejected" => 4,
        "messages" => KeyOfOtherRows,
        _ => OtherKey,
    };

    private bool TakeText(ref ReadOnlySpan<byte> rest, out int length)
    {
        length = 0;
        if (rest.IsEmpty || rest[0] != '"') return false;
        rest = rest[1..];
        while (true)
        {
            var plain = rest.IndexOfAny(Stops);
            if (plain < 0) return false;
            if (Utf8.ToUtf16(rest[..plain], _characters.AsSpan(length), out _, out var written, replaceInvalidSequences: false) != OperationStatus.Done) return false;
            length += written;
            var stop = rest[plain];
            rest = rest[(plain + 1)..];
            if (stop == '"') break;
            if (stop != '\\' || !TakeEscape(ref rest, ref length)) return false;
        }
        rest = TrimStart(rest);
        return true;
    }

    private bool TakeEscape(ref ReadOnlySpan<byte> rest, ref int length)
    {
        if (rest.IsEmpty) return false;
        var kind = rest[0];
        rest = rest[1..];
        if (kind == 'u')
        {
            if (!TakeUnit(ref rest, out var unit)) return false;
            _characters[length++] = unit;
            if (!char.IsSurrogate(unit)) return true;
            // Two escapes are one character; half of one is no text.
            if (!char.IsHighSurrogate(unit) || !rest.StartsWith("\\u"u8)) return false;
            rest = rest[2..];
            if (!TakeUnit(ref rest, out unit) || !char.IsLowSurrogate(unit)) return false;
            _characters[length++] = unit;
            return true;
        }
        var character = kind switch
        {
            (byte)'n' => '\n',
            (byte)'"' => '"',
            (byte)'\\' => '\\',
            (byte)'t' => '\t',
            (byte)'r' => '\r',
            (byte)'/' => '/',
            (byte)'b' => '\b',
            (byte)'f' => '\f',
            _ => '\0',
        };
        _characters[length++] = character;
        return character != '\0';
    }

    private static bool TakeUnit(ref ReadOnlySpan<byte> rest, out char unit)
    {
        unit = '\0';
        if (rest.Length < 4) return false;
        var value = 0;
        foreach (var digit in rest[..4])
        {
            if (!char.IsAsciiHexDigit((char)digit)) return false;
            value = value << 4 | (digit & 0xF) + (digit > '9' ? 9 : 0);
        }
        unit = (char)value;
        rest = rest[4..];
        return true;
    }

    private static bool Take(ref ReadOnlySpan<byte> rest, char character)
    {
        if (rest.IsEmpty || rest[0] != character) return false;
        rest = TrimStart(rest[1..]);
        return true;
    }

    private static ReadOnlySpan<byte> TrimStart(ReadOnlySpan<byte> rest) => rest.TrimStart(" \t\r\n"u8);
}
