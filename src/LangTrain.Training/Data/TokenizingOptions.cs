namespace LangTrain.Training.Data;

/// <summary>How rows become examples.</summary>
/// <param name="MaxSequenceLength">Tokens of the longest example, at least 2.</param>
/// <param name="LongRows">What becomes of longer rows. Default: their end is cut off.</param>
/// <param name="LossOn">Which tokens of supervised rows are learned. Default the answers only.</param>
public sealed record TokenizingOptions(int MaxSequenceLength, LongRowPolicy LongRows = LongRowPolicy.Truncate, LossOn LossOn = LossOn.Completion);
