using System.Text.Json.Serialization;

namespace LangTrain.Core.Storage;

/// <summary><c>manifest.json</c> of a folder of blobs: what belongs to it. Written last, so a folder with one is complete.</summary>
/// <param name="Files">All files of the folder, by name.</param>
/// <param name="TotalBytes">Their size together.</param>
public sealed record FolderManifest(IReadOnlyList<FolderFile> Files, long TotalBytes)
{
    /// <summary>The manifest's own name.</summary>
    public const string FileName = "manifest.json";

    /// <summary>Blob of a file that is itself called <c>manifest.json</c> in its folder (a checkpoint has one).</summary>
    public const string OwnManifestBlob = "manifest.json.file";
}

/// <summary>One file of a <see cref="FolderManifest"/>.</summary>
/// <param name="Name">Path below the folder, with slashes.</param>
/// <param name="Bytes">Size.</param>
/// <param name="Sha256">Of the content, lower-case hex.</param>
public sealed record FolderFile(string Name, long Bytes, string Sha256);

/// <summary>How manifests are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FolderManifest))]
internal sealed partial class FolderManifestJson : JsonSerializerContext;
