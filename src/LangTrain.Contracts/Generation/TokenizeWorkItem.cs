using System.Text.Json;

namespace LangTrain.Contracts.Generation;

/// <summary>Text or messages to be counted: body of <c>POST /internal/tokenize</c>, answered with <see cref="TokenizeResult"/>.</summary>
/// <param name="Target">The model.</param>
/// <param name="Text">Text; exactly one of Text, Messages, Ids is given.</param>
/// <param name="Messages">Chat messages, rendered by the model's template.</param>
/// <param name="Ids">Token ids to be turned into text.</param>
/// <param name="AddSpecialTokens">Whether the tokenizer adds its own (BOS).</param>
/// <param name="ParseSpecial">Whether special tokens inside Text are recognised.</param>
public sealed record TokenizeWorkItem(
    GenerationTarget Target, string? Text, JsonElement? Messages, IReadOnlyList<int>? Ids, bool AddSpecialTokens = false, bool ParseSpecial = false);

/// <summary>Answer to <see cref="TokenizeWorkItem"/>.</summary>
/// <param name="Ids">Token ids.</param>
/// <param name="Tokens">Text of each.</param>
/// <param name="Text">The text they make.</param>
public sealed record TokenizeResult(IReadOnlyList<int> Ids, IReadOnlyList<string> Tokens, string Text);
