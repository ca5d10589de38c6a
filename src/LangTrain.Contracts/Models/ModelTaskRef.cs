namespace LangTrain.Contracts.Models;

/// <summary>Key of a model task. Stored in histories.</summary>
/// <param name="AccountId">Owner.</param>
/// <param name="TaskId">The task; also the id of its orchestration.</param>
public sealed record ModelTaskRef(string AccountId, string TaskId);
