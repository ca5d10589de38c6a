namespace LangTrain.Core.Files;

/// <summary>An uploaded file as its row holds it; the bytes are a blob in the datasets container. Immutable.</summary>
public sealed record StoredFile
{
    /// <summary><c>file-…</c>, sortable by time of creation.</summary>
    public required string Id { get; init; }

    /// <summary>Owner.</summary>
    public required string AccountId { get; init; }

    /// <summary>Name the owner gave.</summary>
    public required string Filename { get; init; }

    /// <summary><c>fine-tune</c>, <c>batch</c>, …</summary>
    public required string Purpose { get; init; }

    /// <summary>Size.</summary>
    public required long Bytes { get; init; }

    /// <summary>Of the content, lower-case hex.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Blob in the datasets container.</summary>
    public required string BlobName { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is deleted by itself, UTC; null is never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}
