using LangTrain.Modeling;

namespace LangTrain.Inference;

/// <summary>What one row of the engine should do, in token ids only. Immutable; the engine reads it from its own thread.</summary>
public sealed record GenerationRequest
{
    /// <summary>The prompt with its special tokens; at least one token, at most the context less one.</summary>
    public required IReadOnlyList<int> PromptTokens { get; init; }

    /// <summary>The adapter over the base model, null for the base itself. Must live until the row has ended.</summary>
    public LoraAdapter? Adapter { get; init; }

    /// <summary>How tokens are picked.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Most tokens to generate; null is up to the end of the context, 0 reads the prompt only.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>Tokens that end the answer; they are not part of it.</summary>
    public IReadOnlySet<int> StopTokenIds { get; init; } = new HashSet<int>();

    /// <summary>Report log-probabilities, with this many of the most likely tokens (0 to 20); null reports none.</summary>
    public int? TopLogProbabilities { get; init; }

    /// <summary>Report the prompt's tokens with their log-probabilities too; needs <see cref="TopLogProbabilities"/>.</summary>
    public bool PromptLogProbabilities { get; init; }

    /// <summary>Interactive or batch.</summary>
    public RequestPriority Priority { get; init; }

    /// <summary>Requests of one key (an account) share one turn in the queue; those without a key share one as well.</summary>
    public string? FairnessKey { get; init; }

    /// <summary>Called once when the row is in no step any more and uses its adapter no longer; on the loop thread or a cancelling one, and must not throw.</summary>
    internal Action? Left { get; init; }

    /// <summary>Restricts each next token (structured output); one instance a row, called on the engine's thread.</summary>
    internal ITokenConstraint? Constraint { get; init; }
}
