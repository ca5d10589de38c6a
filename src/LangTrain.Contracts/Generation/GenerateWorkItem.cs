using System.Text.Json;

namespace LangTrain.Contracts.Generation;

/// <summary>One prompt to be continued: body of <c>POST /internal/generate</c> on a worker, which answers with lines of <see cref="GenerationUpdate"/>.</summary>
/// <remarks>Already checked by Core; the worker refuses only what needs the model to be known (context length, a template's own rules).</remarks>
public sealed record GenerateWorkItem
{
    /// <summary>Value of <see cref="Priority"/>: somebody waits for it.</summary>
    public const string Interactive = "interactive";

    /// <summary>Value of <see cref="Priority"/>: it may wait for what somebody waits for.</summary>
    public const string Batch = "batch";

    /// <summary>Request id of the client's call, for logs and traces.</summary>
    public required string RequestId { get; init; }

    /// <summary>Whose request; the engine is fair between accounts.</summary>
    public required string AccountId { get; init; }

    /// <summary>The model.</summary>
    public required GenerationTarget Target { get; init; }

    /// <summary>Text to continue; exactly one of Prompt, PromptIds, Messages is given.</summary>
    public string? Prompt { get; init; }

    /// <summary>Token ids to continue.</summary>
    public IReadOnlyList<int>? PromptIds { get; init; }

    /// <summary>Chat messages, OpenAI's shape, an array.</summary>
    public JsonElement? Messages { get; init; }

    /// <summary>Tools, OpenAI's shape, an array.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>OpenAI's <c>tool_choice</c>.</summary>
    public JsonElement? ToolChoice { get; init; }

    /// <summary>Whether an answer may make several tool calls.</summary>
    public bool ParallelToolCalls { get; init; } = true;

    /// <summary>OpenAI's <c>response_format</c>.</summary>
    public JsonElement? ResponseFormat { get; init; }

    /// <summary>Most new tokens; null is as many as the context has room for.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>0 (greedy) to 2.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Nucleus, above 0, at most 1.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Most likely tokens kept; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Least probability relative to the most likely token, 0 to 1.</summary>
    public double MinP { get; init; }

    /// <summary>-2 to 2, by how often a token stands in the new text.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>-2 to 2, once for a token that stands in the new text.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Above 0; 1 is none.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Token id to a value added to its logit, -100 to 100.</summary>
    public IReadOnlyDictionary<int, double>? LogitBias { get; init; }

    /// <summary>Texts that end the answer and are not part of it.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Answers to make, 1 to 128.</summary>
    public int N { get; init; } = 1;

    /// <summary>Same seed, same text; null is a fresh one.</summary>
    public long? Seed { get; init; }

    /// <summary>Whether log-probabilities of the tokens are wanted.</summary>
    public bool Logprobs { get; init; }

    /// <summary>Alternatives a token, 0 to 20, with <see cref="Logprobs"/>.</summary>
    public int TopLogprobs { get; init; }

    /// <summary>Whether the prompt is given back before the new text (completions only).</summary>
    public bool Echo { get; init; }

    /// <summary><see cref="Interactive"/> or <see cref="Batch"/>.</summary>
    public string Priority { get; init; } = Interactive;
}
