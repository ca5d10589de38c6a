namespace LangTrain.Training.Data;

/// <summary>What tokenizing a file found.</summary>
public sealed record LengthStatistics
{
    /// <summary>Lines with a row in them.</summary>
    public long Rows { get; init; }

    /// <summary>Examples that are left to train on.</summary>
    public int Examples { get; init; }

    /// <summary>Tokens of all examples.</summary>
    public long Tokens { get; init; }

    /// <summary>Tokens that the loss is taken on.</summary>
    public long TrainedTokens { get; init; }

    /// <summary>Tokens of the longest row, before anything was cut.</summary>
    public int LongestRow { get; init; }

    /// <summary>Rows that were longer than a sequence may be.</summary>
    public long LongRows { get; init; }

    /// <summary>Rows left out for their length, or because nothing in them would be learned.</summary>
    public long RowsLeftOut { get; init; }
}
