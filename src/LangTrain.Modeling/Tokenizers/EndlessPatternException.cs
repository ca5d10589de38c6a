namespace LangTrain.Modeling.Tokenizers;

/// <summary>A tokenizer's own pattern tries too many ways to cut a text: the text and the tokenizer are at fault, not this code.</summary>
public sealed class EndlessPatternException() : InvalidOperationException("The tokenizer's pattern backtracks without end on this text.");
