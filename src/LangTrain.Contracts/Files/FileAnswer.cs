namespace LangTrain.Contracts.Files;

/// <summary>An uploaded file as it is shown; OpenAI's shape.</summary>
public sealed record FileAnswer
{
    /// <summary><c>file-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>file</c>.</summary>
    public string Object { get; init; } = "file";

    /// <summary>Size.</summary>
    public required long Bytes { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public required long CreatedAt { get; init; }

    /// <summary>When it is deleted by itself, seconds since 1970; absent when it never is.</summary>
    public long? ExpiresAt { get; init; }

    /// <summary>Name that its owner gave.</summary>
    public required string Filename { get; init; }

    /// <summary><c>fine-tune</c>, <c>batch</c>, …</summary>
    public required string Purpose { get; init; }

    /// <summary><c>processed</c>; of a large upload <c>uploaded</c> until its parts are put together, or <c>error</c> where that cannot be done.</summary>
    public required string Status { get; init; }

    /// <summary>What was wrong; absent unless <see cref="Status"/> is <c>error</c>.</summary>
    public string? StatusDetails { get; init; }

    /// <summary>SHA-256 of the content, lower-case hex; absent until the file is <c>processed</c>.</summary>
    public string? Sha256 { get; init; }
}
