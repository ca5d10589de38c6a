namespace LangTrain.Training.Batches;

/// <summary>One row as tokens.</summary>
/// <param name="Ids">Token ids, special tokens included.</param>
/// <param name="IsTrained">For each token, whether the loss is taken on predicting it.</param>
public sealed record TokenizedExample(int[] Ids, bool[] IsTrained);
