namespace LangTrain.Contracts.Files;

/// <summary>What a check of a file of training data found.</summary>
public sealed record FileValidationAnswer
{
    /// <summary>Always <c>file.validation</c>.</summary>
    public string Object { get; init; } = "file.validation";

    /// <summary>The file.</summary>
    public required string FileId { get; init; }

    /// <summary>Whether it can be trained on.</summary>
    public required bool Valid { get; init; }

    /// <summary>Format that the rows came in (<c>chat</c>, <c>completion</c>, <c>text</c>, <c>alpaca</c>, <c>sharegpt</c>, <c>preference</c>); absent when no row was understood.</summary>
    public string? Format { get; init; }

    /// <summary>Format that they are trained in: <c>chat</c>, <c>completion</c>, <c>text</c> or <c>preference</c>; absent as above.</summary>
    public string? TrainedAs { get; init; }

    /// <summary>Good rows.</summary>
    public required long Rows { get; init; }

    /// <summary>Bytes read, decompressed.</summary>
    public required long Bytes { get; init; }

    /// <summary>Tokens by the rule of thumb of one for four bytes; <c>GET /files/{id}/preview</c> has the model's own for the first rows.</summary>
    public required long ApproximateTokens { get; init; }

    /// <summary>What is wrong, in the order of lines; at most 100.</summary>
    public required IReadOnlyList<FileProblem> Problems { get; init; }

    /// <summary>Whether reading stopped at the most problems, so that there may be more.</summary>
    public required bool StoppedEarly { get; init; }

    /// <summary>What is allowed but perhaps not meant.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }
}

/// <summary>What is wrong at one place of a file.</summary>
/// <param name="Line">Line from 1; 0 where the whole file is meant.</param>
/// <param name="Message">What was found and what is allowed.</param>
public sealed record FileProblem(long Line, string Message);
