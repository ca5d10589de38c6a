namespace LangTrain.Core.Storage;

/// <summary>What is known of a blob without reading it.</summary>
/// <param name="Name">Full name in its container.</param>
/// <param name="Bytes">Size.</param>
/// <param name="ModifiedAt">Last change, UTC.</param>
public sealed record BlobInfo(string Name, long Bytes, DateTimeOffset ModifiedAt);
