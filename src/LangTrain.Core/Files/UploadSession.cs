namespace LangTrain.Core.Files;

/// <summary>Where an upload in parts stands.</summary>
public enum UploadStatus
{
    /// <summary>Parts are taken.</summary>
    Pending,

    /// <summary>It is a file.</summary>
    Completed,

    /// <summary>Its owner gave it up.</summary>
    Cancelled,

    /// <summary>Nobody completed it in time.</summary>
    Expired,
}

/// <summary>A file that comes in parts, as its row holds it. Immutable.</summary>
/// <remarks>
/// Parts are blobs of their own below <see cref="PartsPrefix"/>; their ids are their names and nothing else is kept of them. <see cref="AssembleUpload"/>
/// reads them in order into the file's blob, hashing on the way, so that what was checked is what is kept.
/// </remarks>
public sealed record UploadSession
{
    /// <summary><c>upload-…</c>, sortable by time of creation.</summary>
    public required string Id { get; init; }

    /// <summary>Owner.</summary>
    public required string AccountId { get; init; }

    /// <summary>Name the owner gave.</summary>
    public required string Filename { get; init; }

    /// <summary>As of the file.</summary>
    public required string Purpose { get; init; }

    /// <summary>Size that the parts must add up to.</summary>
    public required long Bytes { get; init; }

    /// <summary>After which the file is deleted, or null.</summary>
    public TimeSpan? FileLifetime { get; init; }

    /// <summary>Where it stands.</summary>
    public UploadStatus Status { get; init; }

    /// <summary>The parts it was completed with, in order; null before.</summary>
    public IReadOnlyList<string>? PartIds { get; init; }

    /// <summary>MD5 that a file must have whose parts are put together after its completion, hex; null where its owner did not say.</summary>
    public string? Md5 { get; init; }

    /// <summary>The file's bytes; null before completion, and after that of a large one until its parts are put together.</summary>
    public StoredUpload? Content { get; init; }

    /// <summary>Why its parts could not be put together after its completion, for the owner; else null.</summary>
    public string? Problem { get; init; }

    /// <summary>Whether the file's row was written; after that it may have been deleted again.</summary>
    public bool IsFileMade { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is given up if pending, and its parts are deleted in any case; UTC.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Id of the file that it becomes.</summary>
    public string FileId => "file-" + Id[(Id.IndexOf('-', StringComparison.Ordinal) + 1)..];

    /// <summary>Folder of its parts in the datasets container, with a slash at its end.</summary>
    public string PartsPrefix => $"uploads/{AccountId}/{Id}/";

    /// <summary>Folder in the datasets container in which each try to put the parts together has a blob of its own, with a slash at its end.</summary>
    public string ContentPrefix => $"files/{AccountId}/{Id}/";

    /// <summary>Whether it is completed and its parts are not put together yet.</summary>
    public bool IsAssembling => Status == UploadStatus.Completed && Content is null && Problem is null;
}
