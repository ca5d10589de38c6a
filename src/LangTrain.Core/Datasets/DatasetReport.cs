namespace LangTrain.Core.Datasets;

/// <summary>What a reading of a dataset found. Valid when <see cref="Problems"/> is empty.</summary>
public sealed record DatasetReport
{
    /// <summary>Format the rows came in: <c>chat</c>, <c>completion</c>, <c>text</c>, <c>alpaca</c>, <c>sharegpt</c>, <c>preference</c>; null when no row was understood.</summary>
    public string? SourceFormat { get; init; }

    /// <summary>Format of the canonical rows: <c>chat</c>, <c>completion</c>, <c>text</c> or <c>preference</c>; null as above.</summary>
    public string? Format { get; init; }

    /// <summary>Good rows for training.</summary>
    public long Rows { get; init; }

    /// <summary>Good rows that were split off for evaluation.</summary>
    public long EvaluationRows { get; init; }

    /// <summary>Bytes read, after decompression.</summary>
    public long Bytes { get; init; }

    /// <summary>Bytes of text in the good rows, without their JSON.</summary>
    public long TextBytes { get; init; }

    /// <summary>Up to <see cref="DatasetLimits.MaxProblems"/> problems in the order of their lines.</summary>
    public IReadOnlyList<DatasetProblem> Problems { get; init; } = [];

    /// <summary>Whether reading stopped at the most problems, so that there may be more.</summary>
    public bool StoppedEarly { get; init; }

    /// <summary>Sentences for the owner about what is allowed but perhaps not meant.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Whether the data can be trained on.</summary>
    public bool IsValid => Problems.Count == 0;

    /// <summary>Tokens by the rule of thumb of one for four bytes of text: an approximation, since only a worker has the tokenizer.</summary>
    public long ApproximateTokens => (TextBytes + 3) / 4;
}
