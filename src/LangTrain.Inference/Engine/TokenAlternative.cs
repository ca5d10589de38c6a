namespace LangTrain.Inference;

/// <summary>One of the most likely tokens at a position.</summary>
/// <param name="TokenId">The token.</param>
/// <param name="LogProbability">Natural logarithm of its probability under the model's own distribution.</param>
public readonly record struct TokenAlternative(int TokenId, float LogProbability);
