namespace LangTrain.Contracts.FineTunes;

/// <summary>Which fine-tune: the key under which every process finds its row, its blobs and its orchestration.</summary>
/// <param name="AccountId">Owner.</param>
/// <param name="JobId"><c>ftjob-…</c>; also the orchestration's instance id.</param>
public sealed record FineTuneRef(string AccountId, string JobId);
