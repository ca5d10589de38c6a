using System.Text.Json.Serialization;
using LangTrain.Contracts.Errors;

namespace LangTrain.Contracts.Generation;

/// <summary>Answer of <c>POST /completions</c> and <c>/batch/completions</c>, and one chunk of the former's stream.</summary>
public sealed record CompletionAnswer
{
    /// <summary><c>cmpl-…</c>; one id through a stream.</summary>
    public required string Id { get; init; }

    /// <summary>Always <c>text_completion</c>.</summary>
    public string Object { get; init; } = "text_completion";

    /// <summary>Seconds since 1970; one moment through a stream.</summary>
    public required long Created { get; init; }

    /// <summary>The model as the request named it.</summary>
    public required string Model { get; init; }

    /// <summary>The texts; empty in the chunk that carries the usage.</summary>
    public required IReadOnlyList<CompletionChoice> Choices { get; init; }

    /// <summary>Tokens; in a stream only in the last chunk, and only when asked for.</summary>
    public TokenUsageAnswer? Usage { get; init; }

    /// <summary>Empty, with the together-ai client, whose type wants it; absent for all others.</summary>
    public IReadOnlyList<string>? Prompt { get; init; }
}

/// <summary>One text, or a piece of it.</summary>
public sealed record CompletionChoice
{
    /// <summary>Which prompt and which of its <c>n</c> answers: prompt × n + answer.</summary>
    public required int Index { get; init; }

    /// <summary>Text.</summary>
    public required string Text { get; init; }

    /// <summary>In chunks: the same text where readers of chat streams look for it.</summary>
    public CompletionDelta? Delta { get; init; }

    /// <summary>Log-probabilities, where asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public CompletionLogprobs? Logprobs { get; init; }

    /// <summary><c>stop</c>, <c>length</c>; null in chunks before the last; <c>error</c> with <see cref="Error"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? FinishReason { get; init; }

    /// <summary>Why this prompt of a batch has no text.</summary>
    public ErrorBody? Error { get; init; }
}

/// <summary>The text of a chunk.</summary>
/// <param name="Content">New text; absent in the chunk that ends a choice.</param>
public sealed record CompletionDelta(string? Content);

/// <summary>Log-probabilities of <c>/completions</c>; the lists run side by side.</summary>
/// <param name="Tokens">Tokens as text.</param>
/// <param name="TokenLogprobs">Natural logarithms; null for the first token of a prompt.</param>
/// <param name="TopLogprobs">The likeliest at each place, by text.</param>
/// <param name="TextOffset">Where each token begins in the text, in Unicode code points.</param>
public sealed record CompletionLogprobs(
    IReadOnlyList<string> Tokens,
    IReadOnlyList<double?> TokenLogprobs,
    IReadOnlyList<IReadOnlyDictionary<string, double>?>? TopLogprobs,
    IReadOnlyList<int> TextOffset);

/// <summary>Tokens of a request.</summary>
/// <param name="PromptTokens">Tokens of the prompts.</param>
/// <param name="CompletionTokens">Tokens made.</param>
/// <param name="TotalTokens">Both together.</param>
/// <param name="PromptTokensDetails">What is known of the prompt's.</param>
public sealed record TokenUsageAnswer(long PromptTokens, long CompletionTokens, long TotalTokens, PromptTokensDetails? PromptTokensDetails = null);

/// <summary>What is known of a prompt's tokens.</summary>
/// <param name="CachedTokens">Those that were found in a cache.</param>
public sealed record PromptTokensDetails(long CachedTokens);
