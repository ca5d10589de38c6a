using System.Text.Json;

namespace LangTrain.Inference;

/// <summary>What <see cref="TextGenerator"/> should write. Exactly one of <see cref="Prompt"/>, <see cref="PromptTokens"/> and <see cref="Messages"/> is set.</summary>
public sealed record TextGenerationRequest
{
    /// <summary>A prompt as text; encoded with the tokenizer's own special tokens (a BOS where the model has one).</summary>
    public string? Prompt { get; init; }

    /// <summary>True reads special tokens written in <see cref="Prompt"/> as such; false (default) takes them as plain text.</summary>
    public bool ParseSpecialTokens { get; init; }

    /// <summary>A prompt as token ids, taken as it is.</summary>
    public IReadOnlyList<int>? PromptTokens { get; init; }

    /// <summary>A chat: a JSON array of messages as they are on the wire, rendered by the model's chat template.</summary>
    public JsonElement? Messages { get; init; }

    /// <summary>Tools that the chat may call: a JSON array as it is on the wire.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>Whether tools are called.</summary>
    public ToolChoice ToolChoice { get; init; } = ToolChoice.Auto;

    /// <summary>End the answer with its first tool call. Default false.</summary>
    public bool OneToolCall { get; init; }

    /// <summary>Structured output; null is free text. With tools that may be called, an answer is of this form or is a call.</summary>
    public ResponseFormat? ResponseFormat { get; init; }

    /// <summary>The adapter over the base model, null for the base itself. The request keeps the adapter alive by itself once it was started.</summary>
    public AdapterLease? Adapter { get; init; }

    /// <summary>How tokens are picked. Choice i of n draws from a seed made of the seed and i.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Most tokens of each answer; null is up to the end of the context. 0 with <see cref="Echo"/> only reads the prompt.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>Strings that end an answer and are not part of it; found across token borders.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Answers to one prompt (n), 1 to 128.</summary>
    public int ChoiceCount { get; init; } = 1;

    /// <summary>Begin each answer with the prompt's text. Not with <see cref="Messages"/>.</summary>
    public bool Echo { get; init; }

    /// <summary>Report log-probabilities, with this many of the most likely tokens (0 to 20); null reports none. With <see cref="Echo"/> for the prompt too.</summary>
    public int? TopLogProbabilities { get; init; }

    /// <summary>Interactive or batch.</summary>
    public RequestPriority Priority { get; init; }

    /// <summary>Who asks, for turns in the queue: an account.</summary>
    public string? FairnessKey { get; init; }
}
