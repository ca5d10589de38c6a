namespace LangTrain.Inference;

/// <summary>The prompt leaves no room for an answer in the model's context; becomes a 400 with both numbers.</summary>
/// <param name="promptTokens">Tokens of the prompt as it was encoded.</param>
/// <param name="contextLength">Tokens that prompt and answer may have together.</param>
public sealed class ContextLengthExceededException(int promptTokens, int contextLength)
    : Exception($"The prompt has {promptTokens} tokens; this model's context holds {contextLength}, prompt and answer together.")
{
    /// <summary>Tokens of the prompt as it was encoded.</summary>
    public int PromptTokens { get; } = promptTokens;

    /// <summary>Tokens that prompt and answer may have together.</summary>
    public int ContextLength { get; } = contextLength;
}
