using System.Globalization;
using System.Text;
using System.Text.Json;
using LangTrain.Modeling.Tokenizers.BytePair;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>What the <c>decoder</c> section makes of one entry, and what it cuts from the start of a text; immutable.</summary>
/// <remarks>Every decoder that is understood works entry by entry, which is what lets text be decoded while it is being generated.</remarks>
internal sealed class TokenBytesReader
{
    private readonly List<Func<string, string>> _rewrites = [];
    private bool _byteLevel;
    private bool _byteFallback;
    private bool _fused;

    /// <summary>How many of <see cref="LeadingCharacter"/> are cut from the start of a decoded text.</summary>
    public int LeadingCount { get; private set; }

    public char LeadingCharacter { get; private set; }

    /// <summary>The mark of spaces that is left out of the first entry of a text, wherever it stands in it (Metaspace); null for none.</summary>
    public string? MarkLeftOutOfFirst { get; private set; }

    /// <summary>Entries are written in the byte alphabet.</summary>
    public bool IsByteLevel => _byteLevel;

    /// <summary>There is no decoder: entries are written as they are, with spaces between them.</summary>
    public bool IsAbsent { get; private init; }

    /// <exception cref="UnsupportedTokenizerException">A type or a key is not understood.</exception>
    public static TokenBytesReader FromJson(JsonElement json, string path)
    {
        if (json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return new TokenBytesReader { IsAbsent = true };
        var reader = new TokenBytesReader();
        reader.Add(json, path);
        return reader;
    }

    /// <summary>The bytes that an entry of the vocabulary adds to a text.</summary>
    public byte[] BytesOf(string entry)
    {
        if (_byteLevel && ByteAlphabet.BytesOf(entry) is { } bytes) return bytes;
        if (_byteFallback && IsByte(entry, out var value)) return [value];
        foreach (var rewrite in _rewrites) entry = rewrite(entry);
        return Encoding.UTF8.GetBytes(entry);
    }

    private void Add(JsonElement json, string path)
    {
        var section = new JsonSection(json, path);
        switch (section.Type)
        {
            case "Sequence":
                section.Allow("decoders");
                foreach (var (item, itemPath) in section.Items("decoders")) Add(item, itemPath);
                break;
            case "ByteLevel":
                section.Allow("add_prefix_space", "trim_offsets", "use_regex");
                _byteLevel = true;
                break;
            case "ByteFallback":
                section.Allow();
                _byteFallback = true;
                break;
            case "Fuse":
                section.Allow();
                _fused = true;
                break;
            case "Replace":
                section.Allow("pattern", "content");
                _rewrites.Add(TextReplacer.FromJson(section).Apply);
                break;
            case "Strip":
                section.Allow("content", "start", "stop");
                if (!_fused) throw new UnsupportedTokenizerException(path, "Strip without a Fuse before it cuts every token");
                if (section.Int("stop") != 0) throw new UnsupportedTokenizerException(path + ".stop", "cutting from the end of a text is not understood");
                if (section.String("content") is not [var character]) throw new UnsupportedTokenizerException(path + ".content", "expected one character");
                (LeadingCharacter, LeadingCount) = (character, section.Int("start"));
                break;
            case "Metaspace":
                section.Allow("replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep");
                var mark = section.String("replacement");
                _rewrites.Add(entry => entry.Replace(mark, " ", StringComparison.Ordinal));
                if (section.OptionalString("prepend_scheme") is not "never" && section.Bool("add_prefix_space", true)) MarkLeftOutOfFirst = mark;
                break;
            default:
                throw section.UnknownType("Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace");
        }
    }

    private static bool IsByte(string entry, out byte value)
    {
        value = 0;
        return entry is ['<', '0', 'x', _, _, '>'] && byte.TryParse(entry.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }
}
