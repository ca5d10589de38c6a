namespace LangTrain.Inference;

/// <summary>One of the most likely tokens at a position.</summary>
/// <param name="TokenId">The token.</param>
/// <param name="Text">Its own text, as in <see cref="TextTokenLogProbability.Text"/>.</param>
/// <param name="Bytes">Its bytes in UTF-8.</param>
/// <param name="LogProbability">Natural log-probability under the model's own distribution.</param>
public sealed record TextTokenAlternative(int TokenId, string Text, IReadOnlyList<byte> Bytes, float LogProbability);
