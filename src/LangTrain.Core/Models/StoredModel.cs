using LangTrain.Contracts.Models;

namespace LangTrain.Core.Models;

/// <summary>A model as its row holds it: a base model (no owner) or a model of an account. Immutable.</summary>
public sealed record StoredModel
{
    /// <summary><c>org/name</c>, or <c>ft:base:user:suffix:id</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Owner; null for a base model, which everybody sees.</summary>
    public string? AccountId { get; init; }

    /// <summary>Name for people.</summary>
    public required string Name { get; init; }

    /// <summary>A sentence.</summary>
    public required string Description { get; init; }

    /// <summary><c>chat</c>, <c>code</c>, <c>instruct</c>, <c>base</c> or <c>custom</c>.</summary>
    public required string Category { get; init; }

    /// <summary>Number of parameters; 0 where unknown.</summary>
    public long ParameterCount { get; init; }

    /// <summary>Longest sequence in tokens.</summary>
    public int ContextLength { get; init; }

    /// <summary>Of <c>completion</c>, <c>chat</c>, <c>fine-tuning</c>.</summary>
    public IReadOnlyList<string> SupportedTasks { get; init; } = [];

    /// <summary><c>ready</c>, <c>weights_missing</c>, <c>validating</c> or <c>invalid</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Why it is not ready, for people.</summary>
    public string? StatusReason { get; init; }

    /// <summary>Full weights, where it has its own.</summary>
    public ModelSource? Weights { get; init; }

    /// <summary>Adapter over <see cref="BaseModelId"/>, where it is one.</summary>
    public ModelSource? Adapter { get; init; }

    /// <summary><c>nf4</c> when the adapter was trained over a 4-bit base and is served over one, so that it answers as it was trained.</summary>
    public string? Quantization { get; init; }

    /// <summary>What it was made from, or null.</summary>
    public string? BaseModelId { get; init; }

    /// <summary>The fine-tuned model with whose adapter its training began, or null. It is not needed any more.</summary>
    public string? ParentModelId { get; init; }

    /// <summary>The fine-tune that made it, or null.</summary>
    public string? JobId { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
