using LangTrain.Contracts.Models;

namespace LangTrain.Contracts.FineTunes;

/// <summary>Asks a worker what a fine-tune would take: body of <c>POST /internal/estimate</c>, answered with <see cref="TrainingEstimateAnswer"/>. Nothing is trained.</summary>
public sealed record EstimateWorkItem
{
    /// <summary>Where the model's files lie.</summary>
    public required ModelSource BaseModel { get; init; }

    /// <summary>Where the adapter lies that training begins with; null begins with a new one.</summary>
    public ModelSource? StartAdapter { get; init; }

    /// <summary>How to train, with every default filled in.</summary>
    public required FineTuneConfig Config { get; init; }

    /// <summary>Canonical rows as JSON, a text each: all training rows, or some that are spread evenly over them.</summary>
    public required IReadOnlyList<string> Rows { get; init; }

    /// <summary>Training rows that there are.</summary>
    public required long TotalRows { get; init; }

    /// <summary>Evaluation rows that there are.</summary>
    public long EvaluationRows { get; init; }
}
