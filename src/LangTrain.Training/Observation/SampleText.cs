namespace LangTrain.Training.Observation;

/// <summary>What the model wrote, greedily, for one prompt of the evaluation data.</summary>
/// <param name="Step">Optimizer steps made before.</param>
/// <param name="Prompt">The prompt's text as the model saw it, special tokens included.</param>
/// <param name="Completion">The model's text.</param>
/// <param name="Expected">What the data has there.</param>
public sealed record SampleText(int Step, string Prompt, string Completion, string Expected)
{
    /// <summary>How often the run had gone back to an earlier checkpoint.</summary>
    public int Rollbacks { get; init; }
}
