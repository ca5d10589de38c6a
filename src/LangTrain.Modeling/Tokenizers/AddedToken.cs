namespace LangTrain.Modeling.Tokenizers;

/// <summary>An entry of <c>added_tokens</c>: text that is one token wherever it stands, ahead of any splitting.</summary>
/// <param name="Id">Its token id.</param>
/// <param name="Content">The text.</param>
/// <param name="IsSpecial">Steers the model; never made from plain text, dropped when decoding for a reader.</param>
/// <param name="Normalized">Looked for in the normalized text instead of the raw one.</param>
/// <param name="SingleWord">Only where no word character touches it.</param>
/// <param name="StripLeft">Swallows white space before it.</param>
/// <param name="StripRight">Swallows white space behind it.</param>
internal sealed record AddedToken(int Id, string Content, bool IsSpecial, bool Normalized, bool SingleWord, bool StripLeft, bool StripRight)
{
    /// <summary>
    /// Whether plain text must not become this token. Besides those that say <c>special</c>, some published files have control marks that do not
    /// (Phi-3's <c>&lt;/s&gt;</c>, Qwen's <c>&lt;|fim_prefix|&gt;</c>); other added tokens (runs of spaces, HTML tags) are text like any other.
    /// </summary>
    public bool IsControl { get; init; } = IsSpecial || Content is "<s>" or "</s>" or "<pad>" or "<unk>" or "<bos>" or "<eos>"
        || (Content.StartsWith("<|", StringComparison.Ordinal) && Content.EndsWith("|>", StringComparison.Ordinal));
}
