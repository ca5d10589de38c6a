namespace LangTrain.Contracts.Together;

/// <summary>A model, as the together-ai client reads it: in a bare array.</summary>
public sealed record TogetherModelAnswer
{
    /// <summary><c>org/name</c>, or <c>ft:base:user:suffix:id</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Always <c>model</c>.</summary>
    public string Object { get; init; } = "model";

    /// <summary>Seconds since 1970.</summary>
    public required long Created { get; init; }

    /// <summary><c>chat</c>, <c>code</c> or <c>language</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Name for people.</summary>
    public required string DisplayName { get; init; }

    /// <summary>Who published it.</summary>
    public required string Organization { get; init; }

    /// <summary>Longest sequence in tokens.</summary>
    public required int ContextLength { get; init; }

    /// <summary>What it costs.</summary>
    public required TogetherPricing Pricing { get; init; }

    /// <summary><c>ready</c>, <c>weights_missing</c>, <c>validating</c> or <c>invalid</c>.</summary>
    public required string Status { get; init; }
}

/// <summary>Price of a model, US dollars for a million tokens.</summary>
/// <param name="Input">Of read tokens.</param>
/// <param name="Output">Of made tokens.</param>
/// <param name="Finetune">Of trained tokens.</param>
/// <param name="Base">Of a request; 0.</param>
/// <param name="Hourly">Of an hour; 0.</param>
public sealed record TogetherPricing(decimal Input, decimal Output, decimal Finetune, decimal Base, decimal Hourly);
