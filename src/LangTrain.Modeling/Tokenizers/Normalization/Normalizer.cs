using System.Globalization;
using System.Text;
using System.Text.Json;
using LangTrain.Modeling.Tokenizers.BytePair;

namespace LangTrain.Modeling.Tokenizers.Normalization;

/// <summary>Rewrites text before it is split; immutable.</summary>
internal abstract class Normalizer
{
    public abstract string Apply(string text);

    /// <summary>Reads the <c>normalizer</c> section; null where there is none.</summary>
    /// <exception cref="UnsupportedTokenizerException">A type or a key is not understood.</exception>
    public static Normalizer? FromJson(JsonElement json, string path)
    {
        if (json.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return null;
        var section = new JsonSection(json, path);
        switch (section.Type)
        {
            case "Sequence":
                section.Allow("normalizers");
                return new Chain([.. section.Items("normalizers").Select(item => FromJson(item.Json, item.Path)).OfType<Normalizer>()]);
            case "Prepend":
                section.Allow("prepend");
                var prefix = section.String("prepend");
                return new Rewrite(text => text.Length == 0 ? text : prefix + text);
            case "Replace":
                section.Allow("pattern", "content");
                var replacer = TextReplacer.FromJson(section);
                return new Rewrite(replacer.Apply);
            case "Lowercase":
                section.Allow();
                // The one letter whose lower case is two code points.
                return new Rewrite(text => text.ToLowerInvariant().Replace("\u0130", "i\u0307", StringComparison.Ordinal));
            case "Strip":
                section.Allow("strip_left", "strip_right");
                var (left, right) = (section.Bool("strip_left", true), section.Bool("strip_right", true));
                return new Rewrite(text => left && right ? text.Trim() : left ? text.TrimStart() : right ? text.TrimEnd() : text);
            case "StripAccents":
                section.Allow();
                return new Rewrite(text => string.Concat(text.EnumerateRunes().Where(rune => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark))));
            case "ByteLevel":
                section.Allow();
                return new Rewrite(ByteAlphabet.Write);
            case "NFC" or "NFD" or "NFKC" or "NFKD":
                section.Allow();
                var form = Enum.Parse<UnicodeForm>(section.Type, ignoreCase: true);
                return new Rewrite(text => UnicodeNormalizer.Normalize(text, form));
            default:
                throw section.UnknownType("Sequence, Prepend, Replace, Lowercase, Strip, StripAccents, ByteLevel, NFC, NFD, NFKC, NFKD");
        }
    }

    private sealed class Chain(Normalizer[] items) : Normalizer
    {
        public override string Apply(string text)
        {
            foreach (var item in items) text = item.Apply(text);
            return text;
        }
    }

    private sealed class Rewrite(Func<string, string> rewrite) : Normalizer
    {
        public override string Apply(string text) => rewrite(text);
    }
}
