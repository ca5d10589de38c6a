namespace LangTrain.Contracts.Models;

/// <summary>A model as it is shown.</summary>
public sealed record ModelAnswer
{
    /// <summary><c>org/name</c>, or <c>ft:base:user:suffix:id</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Always <c>model</c>.</summary>
    public string Object { get; init; } = "model";

    /// <summary>Seconds since 1970.</summary>
    public required long Created { get; init; }

    /// <summary><c>langtrain</c> for base models, else the account's id.</summary>
    public required string OwnedBy { get; init; }

    /// <summary>Name for people.</summary>
    public required string Name { get; init; }

    /// <summary>A sentence.</summary>
    public required string Description { get; init; }

    /// <summary><c>chat</c>, <c>code</c>, <c>instruct</c>, <c>base</c> or <c>custom</c>.</summary>
    public required string Category { get; init; }

    /// <summary>Number of parameters as people say it: <c>6.7B</c>.</summary>
    public required string Parameters { get; init; }

    /// <summary>Number of parameters; 0 where unknown.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Longest sequence in tokens.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Of <c>completion</c>, <c>chat</c>, <c>fine-tuning</c>.</summary>
    public required IReadOnlyList<string> SupportedTasks { get; init; }

    /// <summary>What it costs.</summary>
    public required ModelPricing Pricing { get; init; }

    /// <summary><c>ready</c>, <c>weights_missing</c>, <c>validating</c> or <c>invalid</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Why it is not ready, and what to do.</summary>
    public string? StatusReason { get; init; }

    /// <summary>What it was made from; absent on base models.</summary>
    public string? BaseModel { get; init; }

    /// <summary>Where it comes from; absent on base models.</summary>
    public ModelLineage? Lineage { get; init; }
}

/// <summary>Price of a model.</summary>
/// <param name="Input">Of read tokens.</param>
/// <param name="Output">Of made tokens.</param>
/// <param name="Training">Of trained tokens.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Unit">What a price is for.</param>
public sealed record ModelPricing(decimal Input, decimal Output, decimal Training, string Currency, string Unit);

/// <summary>Where a model comes from.</summary>
/// <param name="BaseModel">The model under it, or null.</param>
/// <param name="FineTune">The fine-tune that made it; absent for uploads.</param>
/// <param name="Kind"><c>adapter</c> or <c>full</c>.</param>
/// <param name="Quantization"><c>nf4</c> when it is served over a 4-bit base.</param>
/// <param name="Parent">The fine-tuned model with whose adapter its training began; absent where it began anew.</param>
public sealed record ModelLineage(string? BaseModel, string? FineTune, string Kind, string? Quantization, string? Parent = null);
