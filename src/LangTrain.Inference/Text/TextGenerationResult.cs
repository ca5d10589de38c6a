namespace LangTrain.Inference;

/// <summary>All answers of a request.</summary>
/// <param name="Choices">The n answers, in order.</param>
/// <param name="Usage">Tokens used by all of them.</param>
public sealed record TextGenerationResult(IReadOnlyList<TextGenerationChoice> Choices, GenerationUsage Usage);

/// <summary>One whole answer.</summary>
/// <param name="Text">Its text, beginning with the prompt's where that was to be echoed.</param>
/// <param name="FinishReason">Why it ended.</param>
/// <param name="LogProbabilities">Its tokens' log-probabilities; null where none were asked for.</param>
/// <param name="ToolCalls">The tools that it calls; null where there are none.</param>
public sealed record TextGenerationChoice(
    string Text, FinishReason FinishReason, IReadOnlyList<TextTokenLogProbability>? LogProbabilities, IReadOnlyList<ToolCall>? ToolCalls);
