namespace LangTrain.Contracts.Generation;

/// <summary>Answer of <c>POST /tokenize</c>.</summary>
/// <param name="Ids">Token ids.</param>
/// <param name="Tokens">Text of each.</param>
/// <param name="Count">How many.</param>
public sealed record TokenizeAnswer(IReadOnlyList<int> Ids, IReadOnlyList<string> Tokens, int Count);

/// <summary>Answer of <c>POST /detokenize</c>.</summary>
/// <param name="Text">The text that the ids make.</param>
public sealed record DetokenizeAnswer(string Text);
