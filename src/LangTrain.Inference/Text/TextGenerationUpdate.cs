namespace LangTrain.Inference;

/// <summary>
/// One step of an answer. The first of a request has <see cref="PromptTokens"/> and nothing else. Each choice ends with one update that has a <see cref="FinishReason"/>; after all choices one last update has
/// <see cref="Usage"/> and nothing else.
/// </summary>
public sealed record TextGenerationUpdate
{
    /// <summary>Tokens of the prompt; set in the request's first update only, which comes before the first token is made.</summary>
    public int? PromptTokens { get; init; }

    /// <summary>Which of the n answers.</summary>
    public int ChoiceIndex { get; init; }

    /// <summary>Text to append; whole characters only, never half a surrogate pair. May be empty.</summary>
    public string Text { get; init; } = "";

    /// <summary>Log-probabilities of the tokens whose text this and earlier updates brought; null where none were asked for.</summary>
    public IReadOnlyList<TextTokenLogProbability>? LogProbabilities { get; init; }

    /// <summary>More of tool calls that are being written; null where there is nothing.</summary>
    public IReadOnlyList<ToolCallPiece>? ToolCallPieces { get; init; }

    /// <summary>Tool calls, whole, in the choice's last update, those that came in pieces too; null where there are none.</summary>
    public IReadOnlyList<ToolCall>? ToolCalls { get; init; }

    /// <summary>Why the choice ended; set in its last update only.</summary>
    public FinishReason? FinishReason { get; init; }

    /// <summary>Tokens used by the whole request; set in the request's last update only.</summary>
    public GenerationUsage? Usage { get; init; }
}
