using System.Text.Json;
using System.Text.Json.Serialization;

namespace LangTrain.Training.Checkpoints;

/// <summary><c>manifest.json</c> of a checkpoint: which files it has, and their hashes; written last.</summary>
internal sealed record CheckpointManifest
{
    public const string FileName = "manifest.json";
    public const int CurrentVersion = 1;

    public required int Version { get; init; }
    public required int Step { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required IReadOnlyList<CheckpointFile> Files { get; init; }

    /// <summary>Reads a manifest that this product wrote, or nothing if it is missing or torn.</summary>
    public static CheckpointManifest? FromStored(string folder)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(folder, FileName)), CheckpointJsonContext.Default.CheckpointManifest);
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>One file of a checkpoint.</summary>
/// <param name="Name">Its name inside the checkpoint's folder, no path.</param>
/// <param name="SizeBytes">Its length.</param>
/// <param name="Sha256">The hash of its bytes, lower-case hexadecimal.</param>
internal sealed record CheckpointFile(string Name, long SizeBytes, string Sha256);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(CheckpointManifest))]
[JsonSerializable(typeof(TrainingState))]
[JsonSerializable(typeof(TrainingOptions))]
internal sealed partial class CheckpointJsonContext : JsonSerializerContext;
