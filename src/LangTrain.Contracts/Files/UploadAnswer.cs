using System.Text.Json.Serialization;

namespace LangTrain.Contracts.Files;

/// <summary>A file that comes in parts, as it is shown; OpenAI's shape.</summary>
public sealed record UploadAnswer
{
    /// <summary><c>upload-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>upload</c>.</summary>
    public string Object { get; init; } = "upload";

    /// <summary>Size that the parts must add up to.</summary>
    public required long Bytes { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>When it is given up if it is still pending, seconds since 1970.</summary>
    public required long ExpiresAt { get; init; }

    /// <summary>Name that its owner gave.</summary>
    public required string Filename { get; init; }

    /// <summary>As of the file that it becomes.</summary>
    public required string Purpose { get; init; }

    /// <summary><c>pending</c>, <c>completed</c>, <c>cancelled</c> or <c>expired</c>.</summary>
    public required string Status { get; init; }

    /// <summary>The file, once completed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public FileAnswer? File { get; init; }
}

/// <summary>A part of an upload; OpenAI's shape, and where to send it when it goes straight to storage.</summary>
public sealed record UploadPartAnswer
{
    /// <summary><c>part-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>upload.part</c>.</summary>
    public string Object { get; init; } = "upload.part";

    /// <summary>Seconds since 1970.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>The upload.</summary>
    public required string UploadId { get; init; }

    /// <summary>Where the part's bytes are to be sent; absent where they came with the request.</summary>
    public StorageLink? Direct { get; init; }
}

/// <summary>One request straight to storage, allowed for a short time. Whoever knows the address can make it: it is not to be logged.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Url">Address with its permission.</param>
/// <param name="Headers">Headers that the request must carry.</param>
/// <param name="ExpiresAt">Until when, seconds since 1970.</param>
public sealed record StorageLink(string Method, Uri Url, IReadOnlyDictionary<string, string> Headers, long ExpiresAt);
