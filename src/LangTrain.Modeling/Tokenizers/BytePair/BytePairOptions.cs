namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>The switches of a BPE model in tokenizer.json.</summary>
/// <param name="ByteLevel">Symbols are bytes in GPT-2's alphabet; otherwise characters.</param>
/// <param name="ByteFallback">A character outside the vocabulary becomes its bytes' tokens (<c>&lt;0x0A&gt;</c>).</param>
/// <param name="IgnoreMerges">A piece that is an entry as a whole is that entry, whatever the rules would make of it.</param>
/// <param name="UnknownToken">Stands for what the vocabulary lacks; null drops it.</param>
/// <param name="FuseUnknown">Unknown characters in a row are one unknown token.</param>
internal sealed record BytePairOptions(bool ByteLevel, bool ByteFallback, bool IgnoreMerges, string? UnknownToken, bool FuseUnknown);
