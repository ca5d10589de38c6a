namespace LangTrain.Inference;

/// <summary>One token of a row, in order; prompt tokens first where their log-probabilities were asked for.</summary>
public readonly record struct GeneratedToken
{
    /// <summary>The token.</summary>
    public required int TokenId { get; init; }

    /// <summary>True for a token of the prompt, which is only reported when <see cref="GenerationRequest.PromptLogProbabilities"/> is set.</summary>
    public bool IsPrompt { get; init; }

    /// <summary>
    /// Natural log-probability under the model's own distribution: before bias, penalties, temperature and masks. Null where none was asked for,
    /// and for a prompt's first token, which nothing precedes.
    /// </summary>
    public float? LogProbability { get; init; }

    /// <summary>The most likely tokens at this position, best first; empty where none were asked for.</summary>
    public IReadOnlyList<TokenAlternative> Top { get; init; }
}
