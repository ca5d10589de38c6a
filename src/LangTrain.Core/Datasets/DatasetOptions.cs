namespace LangTrain.Core.Datasets;

/// <summary>How rows are read. Immutable.</summary>
public sealed record DatasetOptions
{
    /// <summary>Whether the model has a chat template: instruction rows then become messages.</summary>
    public bool ChatModel { get; init; } = true;

    /// <summary>Share of rows kept for evaluation, 0 to 0.5.</summary>
    public double EvaluationShare { get; init; }

    /// <summary>Good rows after which reading stops; null reads all.</summary>
    public int? MostRows { get; init; }

    /// <summary>Seed of the choice of those rows.</summary>
    public long Seed { get; init; }
}
