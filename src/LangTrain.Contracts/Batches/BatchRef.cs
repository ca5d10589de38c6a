namespace LangTrain.Contracts.Batches;

/// <summary>Key of a batch. Stored in histories.</summary>
/// <param name="AccountId">Owner.</param>
/// <param name="BatchId">Id.</param>
public sealed record BatchRef(string AccountId, string BatchId);
