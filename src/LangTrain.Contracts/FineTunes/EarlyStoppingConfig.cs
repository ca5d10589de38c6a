namespace LangTrain.Contracts.FineTunes;

/// <summary>When to stop before the last step.</summary>
/// <param name="Patience">Evaluations without improvement, at least 1.</param>
/// <param name="MinDelta">Improvement of the evaluation loss that counts, at least 0.</param>
public sealed record EarlyStoppingConfig(int Patience = 3, double MinDelta = 0);
