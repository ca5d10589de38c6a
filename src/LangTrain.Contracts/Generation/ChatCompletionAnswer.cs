using System.Text.Json;
using System.Text.Json.Serialization;

namespace LangTrain.Contracts.Generation;

/// <summary>Answer of <c>POST /chat/completions</c>, and one chunk of its stream.</summary>
public sealed record ChatCompletionAnswer
{
    /// <summary><c>chatcmpl-…</c>; one id through a stream.</summary>
    public required string Id { get; init; }

    /// <summary><c>chat.completion</c>, or <c>chat.completion.chunk</c>.</summary>
    public required string Object { get; init; }

    /// <summary>Seconds since 1970; one moment through a stream.</summary>
    public required long Created { get; init; }

    /// <summary>The model as the request named it.</summary>
    public required string Model { get; init; }

    /// <summary>The answers; empty in the chunk that carries the usage.</summary>
    public required IReadOnlyList<ChatChoice> Choices { get; init; }

    /// <summary>Tokens; in a stream only in the last chunk, and only when asked for.</summary>
    public TokenUsageAnswer? Usage { get; init; }

    /// <summary>Empty, with the together-ai client, whose type wants it; absent for all others.</summary>
    public IReadOnlyList<string>? Prompt { get; init; }
}

/// <summary>One answer, or a piece of it.</summary>
public sealed record ChatChoice
{
    /// <summary>Which of the <c>n</c> answers.</summary>
    public required int Index { get; init; }

    /// <summary>The whole answer; absent in chunks.</summary>
    public ChatMessageAnswer? Message { get; init; }

    /// <summary>What is new; in chunks only.</summary>
    public ChatDelta? Delta { get; init; }

    /// <summary>Log-probabilities, where asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public ChatLogprobs? Logprobs { get; init; }

    /// <summary><c>stop</c>, <c>length</c> or <c>tool_calls</c>; null in chunks before the last.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? FinishReason { get; init; }
}

/// <summary>A message that a model made.</summary>
/// <param name="Role">Always <c>assistant</c>.</param>
/// <param name="Content">Text; null when there are only tool calls.</param>
/// <param name="ToolCalls">Tool calls, OpenAI's shape, an array.</param>
public sealed record ChatMessageAnswer(
    string Role, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Content, JsonElement? ToolCalls = null)
{
    /// <summary>Always null: there is no refusing model here. OpenAI's clients expect the field.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Refusal { get; init; }
}

/// <summary>A piece of a message.</summary>
/// <param name="Role">In the first chunk of a choice.</param>
/// <param name="Content">New text.</param>
/// <param name="ToolCalls">Tool calls with their <c>index</c>, an array.</param>
public sealed record ChatDelta(string? Role = null, string? Content = null, JsonElement? ToolCalls = null);

/// <summary>Log-probabilities of a message.</summary>
/// <param name="Content">One entry a token.</param>
public sealed record ChatLogprobs(IReadOnlyList<ChatTokenLogprob> Content)
{
    /// <summary>Null: there is no refusing model here. OpenAI's clients expect the field.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IReadOnlyList<ChatTokenLogprob>? Refusal { get; init; }

    /// <summary>Text of each token, where the together-ai client looks for it; absent for all others.</summary>
    public IReadOnlyList<string>? Tokens { get; init; }

    /// <summary>Natural logarithm of each token's probability, for the same.</summary>
    public IReadOnlyList<double>? TokenLogprobs { get; init; }
}

/// <summary>A token of a message.</summary>
/// <param name="Token">Its text.</param>
/// <param name="Logprob">Natural logarithm of its probability.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="TopLogprobs">The likeliest at its place, best first; their own list is absent.</param>
public sealed record ChatTokenLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<ChatTokenLogprob>? TopLogprobs);
