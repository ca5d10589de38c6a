namespace LangTrain.Contracts.FineTunes;

/// <summary>A dry run of a fine-tune: what its data is like and what it would take.</summary>
public sealed record FineTuneEstimateAnswer
{
    /// <summary>Always <c>fine_tune.estimate</c>.</summary>
    public string Object { get; init; } = "fine_tune.estimate";

    /// <summary>The model as it was named in the request.</summary>
    public required string ModelId { get; init; }

    /// <summary>How it would train, with every default filled in.</summary>
    public required FineTuneConfig Config { get; init; }

    /// <summary>What was found in the data.</summary>
    public required FineTuneEstimateDatasetAnswer Dataset { get; init; }

    /// <summary>What it would take; absent where the data cannot be trained on.</summary>
    public TrainingEstimateAnswer? Estimate { get; init; }

    /// <summary>What it would cost by the model's price; absent where the data cannot be trained on.</summary>
    public FineTunePriceAnswer? Price { get; init; }
}

/// <summary>What a fine-tune costs.</summary>
/// <param name="Amount">Amount.</param>
/// <param name="Currency">ISO 4217.</param>
public sealed record FineTunePriceAnswer(decimal Amount, string Currency);

/// <summary>The data of a dry run.</summary>
/// <param name="Valid">Whether it can be trained on.</param>
/// <param name="Format">Format of the rows, or null where no row was understood.</param>
/// <param name="Rows">Good rows for training.</param>
/// <param name="ValidationRows">Good rows for evaluation.</param>
/// <param name="Problems">Up to 100 problems, in the order of their lines.</param>
/// <param name="Warnings">What is allowed but perhaps not meant.</param>
public sealed record FineTuneEstimateDatasetAnswer(
    bool Valid, string? Format, long Rows, long ValidationRows, IReadOnlyList<DatasetProblemAnswer> Problems, IReadOnlyList<string> Warnings);

/// <summary>What is wrong with a row.</summary>
/// <param name="Line">Its line, from 1; 0 where it is the file as a whole.</param>
/// <param name="Message">What is wrong.</param>
public sealed record DatasetProblemAnswer(long Line, string Message);
