namespace LangTrain.Core.FineTunes;

/// <summary>Where a job's training data comes from: a URL or an uploaded file, exactly one.</summary>
/// <param name="Url">http(s) address, fetched by the service.</param>
/// <param name="FileId">Id of an uploaded file of the same account.</param>
/// <param name="ValidationFileId">Uploaded file with evaluation rows, or null.</param>
public sealed record DatasetReference(string? Url, string? FileId, string? ValidationFileId = null);
