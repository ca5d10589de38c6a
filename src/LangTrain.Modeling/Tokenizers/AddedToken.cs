using System.Text.Json;

namespace LangTrain.Modeling.Tokenizers;

/// <summary>An entry of <c>added_tokens</c>: text that is one token wherever it stands, ahead of any splitting.</summary>
/// <param name="Id">Its token id; <see cref="NoId"/> where it is still to get one.</param>
/// <param name="Content">The text.</param>
/// <param name="IsSpecial">Steers the model; never made from plain text, dropped when decoding for a reader.</param>
/// <param name="Normalized">Looked for in the normalized text instead of the raw one.</param>
/// <param name="SingleWord">Only where no word character touches it.</param>
/// <param name="StripLeft">Swallows white space before it.</param>
/// <param name="StripRight">Swallows white space behind it.</param>
internal sealed record AddedToken(int Id, string Content, bool IsSpecial, bool Normalized, bool SingleWord, bool StripLeft, bool StripRight)
{
    public const int NoId = -1;

    /// <summary>
    /// Whether plain text must not become this token. Besides those that say <c>special</c>, some published files have control marks that do not
    /// (Phi-3's <c>&lt;/s&gt;</c>, Qwen's <c>&lt;|fim_prefix|&gt;</c>); other added tokens (runs of spaces, HTML tags) are text like any other.
    /// </summary>
    public bool IsControl => IsSpecial || LooksLikeControl;

    private bool LooksLikeControl { get; } = Content is "<s>" or "</s>" or "<pad>" or "<unk>" or "<bos>" or "<eos>"
        || (Content.StartsWith("<|", StringComparison.Ordinal) && Content.EndsWith("|>", StringComparison.Ordinal));

    /// <summary>A token of which no more is known than that it is special.</summary>
    public static AddedToken Special(string content) => new(NoId, content, true, false, false, false, false);

    /// <summary>A token as the settings beside tokenizer.json write it: its text, or an object with its switches.</summary>
    /// <param name="json">The text or the object.</param>
    /// <param name="isSpecial">What it is where it does not say.</param>
    /// <returns>Without an id; null where it is no token at all.</returns>
    public static AddedToken? FromSettings(JsonElement json, bool isSpecial)
    {
        if (json.ValueKind == JsonValueKind.String) return json.GetString() is { Length: > 0 } text ? Special(text) with { IsSpecial = isSpecial, Normalized = !isSpecial } : null;
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("content", out var content) || content.ValueKind != JsonValueKind.String) return null;
        bool Is(string key, bool otherwise) => json.TryGetProperty(key, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : otherwise;
        var special = Is("special", isSpecial);
        return new AddedToken(NoId, content.GetString()!, special, Is("normalized", !special), Is("single_word", false), Is("lstrip", false), Is("rstrip", false));
    }
}
