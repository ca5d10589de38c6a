using System.Text.Json;

namespace LangTrain.Contracts.Generation;

/// <summary>One line of a worker's answer to <see cref="GenerateWorkItem"/>.</summary>
public sealed record GenerationUpdate
{
    /// <summary>First line once the request is admitted: <see cref="PromptTokens"/>.</summary>
    public const string Started = "started";

    /// <summary>A piece of text of choice <see cref="Index"/>: <see cref="Text"/>, perhaps <see cref="Logprobs"/>.</summary>
    public const string TextPiece = "text";

    /// <summary>More of tool calls that choice <see cref="Index"/> is writing: <see cref="ToolCalls"/> as OpenAI's chunks have them, with <c>index</c>.</summary>
    public const string ToolCallPiece = "tool_call";

    /// <summary>Choice <see cref="Index"/> has ended: <see cref="FinishReason"/>, perhaps <see cref="ToolCalls"/>.</summary>
    public const string Finished = "finished";

    /// <summary>Last line of a good answer: <see cref="PromptTokens"/>, <see cref="CompletionTokens"/>.</summary>
    public const string Usage = "usage";

    /// <summary>Last line of a bad answer: <see cref="Error"/>.</summary>
    public const string Failed = "error";

    /// <summary>One of the constants of this type.</summary>
    public required string Type { get; init; }

    /// <summary>Which of the N answers, from 0.</summary>
    public int Index { get; init; }

    /// <summary>New text; may be empty where only <see cref="Logprobs"/> came.</summary>
    public string? Text { get; init; }

    /// <summary>Log-probabilities of the tokens of <see cref="Text"/>, where asked for.</summary>
    public IReadOnlyList<TokenLogprob>? Logprobs { get; init; }

    /// <summary><c>stop</c>, <c>length</c> or <c>tool_calls</c>.</summary>
    public string? FinishReason { get; init; }

    /// <summary>Parsed tool calls, OpenAI's shape, an array; at the end all of them, those that came in pieces too.</summary>
    public JsonElement? ToolCalls { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public int? PromptTokens { get; init; }

    /// <summary>Tokens made, over all choices, stop tokens included.</summary>
    public int? CompletionTokens { get; init; }

    /// <summary>Tokens of the prompt that were found in a cache.</summary>
    public int? CachedTokens { get; init; }

    /// <summary>Why it could not be answered.</summary>
    public GenerationFailure? Error { get; init; }
}
