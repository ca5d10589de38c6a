namespace LangTrain.Inference;

/// <summary>Tokens that a request used.</summary>
/// <param name="PromptTokens">Tokens of the prompt, once whatever the number of choices.</param>
/// <param name="CompletionTokens">Tokens generated over all choices, up to the one that ended a stop string; stop tokens are not counted.</param>
/// <param name="CachedTokens">Tokens of the prompt that were found in the cache, by the first of the choices.</param>
public sealed record GenerationUsage(int PromptTokens, int CompletionTokens, int CachedTokens = 0)
{
    /// <summary>Both together.</summary>
    public int TotalTokens => PromptTokens + CompletionTokens;
}
