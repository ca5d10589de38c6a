using System.Text.Json;
using LangTrain.Modeling.Tokenizers.Patterns;

namespace LangTrain.Modeling.Tokenizers.PreTokenization;

/// <summary>Splits normalized text into the pieces that byte pair encoding works on; immutable.</summary>
internal abstract class PreTokenizer
{
    // This one pre-tokenizer's \w is that of Rust's regex crate: also joiners and circled letters, but no superscripts and fractions.
    private const string RustWord = @"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u200C\u200D\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}";

    /// <summary>Replaces the pieces (and the text, where it is changed) by finer ones.</summary>
    public abstract void Apply(PieceList pieces);

    /// <summary>Whether the model behind works on bytes.</summary>
    public virtual bool IsByteLevel => false;

    /// <summary>Whether it changes neither text nor pieces.</summary>
    public virtual bool ChangesNothing => false;

    /// <summary>The pattern at whose matches it cuts, where that is all it does; null otherwise.</summary>
    public virtual TextPattern? OnlyPattern => null;

    /// <summary>Reads the <c>pre_tokenizer</c> section; null where there is none.</summary>
    /// <exception cref="UnsupportedTokenizerException">A type or a key is not understood.</exception>
    public static PreTokenizer? FromJson(JsonElement json, string path)
    {
        if (json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return null;
        var section = new JsonSection(json, path);
        switch (section.Type)
        {
            case "Sequence":
                section.Allow("pretokenizers");
                return new PreTokenizerSequence([.. section.Items("pretokenizers").Select(item => FromJson(item.Json, item.Path)).OfType<PreTokenizer>()], path);
            case "ByteLevel":
                section.Allow("add_prefix_space", "trim_offsets", "use_regex");
                var split = section.Bool("use_regex", true) ? new SplitPreTokenizer(null, TextPattern.Compile(AsciiSplitter.Gpt2Pattern), SplitBehavior.Isolated, false) : null;
                return new ByteLevelPreTokenizer(section.Bool("add_prefix_space", true), split);
            case "Split":
                section.Allow("pattern", "behavior", "invert");
                var (literal, pattern) = PatternReader.Read(section);
                return new SplitPreTokenizer(literal, pattern, ReadBehavior(section, SplitBehavior.Isolated), section.Bool("invert", false));
            case "Digits":
                section.Allow("individual_digits");
                return SplitPreTokenizer.ByPattern(section.Bool("individual_digits", false) ? @"\p{N}" : @"\p{N}+", SplitBehavior.Isolated);
            case "Punctuation":
                section.Allow("behavior");
                return SplitPreTokenizer.ByPattern(@"[\p{P}$+<=>^`|~]", ReadBehavior(section, SplitBehavior.Isolated));
            case "Whitespace":
                section.Allow();
                return new SplitPreTokenizer(null, TextPattern.Compile($"[{RustWord}]+|[^{RustWord}\\s]+"), SplitBehavior.Removed, invert: true);
            case "WhitespaceSplit":
                section.Allow();
                return SplitPreTokenizer.ByPattern(@"\s", SplitBehavior.Removed);
            case "Metaspace":
                return MetaspacePreTokenizer.FromJson(section);
            default:
                throw section.UnknownType("Sequence, ByteLevel, Split, Digits, Punctuation, Whitespace, WhitespaceSplit, Metaspace");
        }
    }

    private static SplitBehavior ReadBehavior(JsonSection section, SplitBehavior byDefault)
    {
        var name = section.OptionalString("behavior");
        if (name is null) return byDefault;
        return Enum.TryParse<SplitBehavior>(name, ignoreCase: false, out var behavior)
            ? behavior
            : throw new UnsupportedTokenizerException(section.Path + ".behavior", $"'{name}' is not understood");
    }
}
