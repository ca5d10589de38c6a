using System.Text.Json.Serialization;

namespace LangTrain.Contracts.Together;

/// <summary>An uploaded file, as the together-ai client reads it.</summary>
public sealed record TogetherFileAnswer
{
    /// <summary><c>file-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>file</c>.</summary>
    public string Object { get; init; } = "file";

    /// <summary>Size.</summary>
    public required long Bytes { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>Name the owner gave.</summary>
    public required string Filename { get; init; }

    /// <summary><c>fine-tune</c>, <c>batch-api</c>, <c>eval</c> or <c>model</c>.</summary>
    public required string Purpose { get; init; }

    /// <summary>Always <c>jsonl</c>.</summary>
    [JsonPropertyName("FileType")]
    public string FileType { get; init; } = "jsonl";

    /// <summary>Whether its bytes can be read.</summary>
    [JsonPropertyName("Processed")]
    public required bool Processed { get; init; }
}
