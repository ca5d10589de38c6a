namespace LangTrain.Core.Datasets;

/// <summary>What is wrong at one place of a dataset.</summary>
/// <param name="Line">Line of the file, from 1; 0 where the whole file is meant.</param>
/// <param name="Message">What was found and what is allowed, for the owner.</param>
public sealed record DatasetProblem(long Line, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? Message : $"line {Line}: {Message}";
}
