namespace LangTrain.Core.Storage;

/// <summary>A stored value with the version under which it was read; a write that names an older version fails.</summary>
/// <param name="Value">What was stored.</param>
/// <param name="ETag">Its version.</param>
public sealed record Versioned<T>(T Value, string ETag);
