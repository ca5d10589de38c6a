namespace LangTrain.Contracts.Models;

/// <summary>Where the files of a model lie, as a worker finds them.</summary>
public sealed record ModelSource
{
    /// <summary><see cref="Folder"/> lies under the worker's own <c>LANGTRAIN_MODELS_DIR</c>.</summary>
    public const string ModelsDirectory = "models-dir";

    /// <summary><see cref="Folder"/> is a blob prefix in <see cref="Container"/> with a complete <c>manifest.json</c>.</summary>
    public const string Blob = "blob";

    /// <summary><see cref="ModelsDirectory"/> or <see cref="Blob"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Folder below the directory, or blob prefix; slashes, no leading or trailing one.</summary>
    public required string Folder { get; init; }

    /// <summary>Blob container, with <see cref="Blob"/>.</summary>
    public string? Container { get; init; }

    /// <summary>Changes when the content does: SHA-256 of the manifest (blob) or of names, sizes and times (directory). Caches go by it.</summary>
    public required string Revision { get; init; }
}
