using LangTrain.Core.Errors;

namespace LangTrain.Core.Files;

/// <summary>Whether a file's bytes can be read.</summary>
public enum FileState
{
    /// <summary>They can.</summary>
    Ready,

    /// <summary>The parts of a large upload are being put together.</summary>
    Assembling,

    /// <summary>The parts did not make the file that was announced.</summary>
    Failed,
}

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

    /// <summary>Of the content, lower-case hex; empty unless it is <see cref="FileState.Ready"/>.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Blob in the datasets container; empty unless it is <see cref="FileState.Ready"/>.</summary>
    public required string BlobName { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is deleted by itself, UTC; null is never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Whether its bytes can be read.</summary>
    public FileState State { get; init; }

    /// <summary>Why it <see cref="FileState.Failed"/>, for the owner; else null.</summary>
    public string? StateReason { get; init; }

    /// <summary>The file, whose bytes can be read.</summary>
    /// <exception cref="ApiException">409: not yet, or never.</exception>
    public StoredFile RequireReady(string? param = null) => State switch
    {
        FileState.Ready => this,
        FileState.Assembling => throw ApiErrors.Conflict("file_not_ready", $"The file '{Id}' is being put together of its parts; its status becomes 'processed'.", shouldRetry: true, param: param),
        _ => throw ApiErrors.Conflict("file_failed", $"The file '{Id}' could not be put together: {StateReason}", param: param),
    };
}
