namespace LangTrain.Training;

/// <summary>When training ends before its last step because the evaluation loss no longer falls.</summary>
public sealed record EarlyStoppingOptions
{
    /// <summary>Evaluations in a row without improvement after which training ends; at least 1. Default 3.</summary>
    public int Patience { get; init; } = 3;

    /// <summary>How much lower than the best the loss has to be to count as an improvement, in nats a token. Default 0.</summary>
    public double MinDelta { get; init; }
}
