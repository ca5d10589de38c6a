using LangTrain.Contracts.FineTunes;
using LangTrain.Contracts.Generation;
using LangTrain.Contracts.Models;
using LangTrain.Core.FineTunes;

namespace LangTrain.Core.Models.Tasks;

/// <summary>What a task does to a model.</summary>
public enum ModelTaskKind
{
    /// <summary>Checks an upload, by a worker.</summary>
    Check,

    /// <summary>Makes files of a model in another layout, by a worker.</summary>
    Export,

    /// <summary>Deletes the files of a deleted model, by the service itself.</summary>
    Delete,
}

/// <summary>Where a task stands.</summary>
public enum ModelTaskStatus
{
    /// <summary>Waits for a worker.</summary>
    Queued,

    /// <summary>A worker is at it.</summary>
    Running,

    /// <summary>The worker made it.</summary>
    Succeeded,

    /// <summary>It cannot be done.</summary>
    Failed,

    /// <summary>Its model was deleted.</summary>
    Cancelled,
}

/// <summary>Work on a model that outlives a request, as its row holds it: the one truth about it. Immutable; changed by <c>with</c> and an ETag write.</summary>
public sealed record ModelTask
{
    /// <summary><c>mtask-…</c>; of an export <c>export-…</c>. Also the id of its orchestration.</summary>
    public required string Id { get; init; }

    /// <summary>Owner.</summary>
    public required string AccountId { get; init; }

    /// <summary>What it does.</summary>
    public required ModelTaskKind Kind { get; init; }

    /// <summary>The model.</summary>
    public required string ModelId { get; init; }

    /// <summary>Where it stands.</summary>
    public ModelTaskStatus Status { get; init; }

    /// <summary>Whether what follows from the end (the model's row, files that go) was done.</summary>
    public bool IsSettled { get; init; }

    /// <summary>Attempts queued so far, from 1.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>Attempts that ended by a lost worker or a system error; three end the task.</summary>
    public int Failures { get; init; }

    /// <summary>The worker at it; its token stays, and rises, when the worker is gone.</summary>
    public FineTuneLease? Lease { get; init; }

    /// <summary>Check: the model's row as it will be, without what the check finds.</summary>
    public StoredModel? Draft { get; init; }

    /// <summary>Check: what was uploaded.</summary>
    public IReadOnlyList<UploadedModelFile> Uploads { get; init; } = [];

    /// <summary>Check: the model under an adapter, with its source; null for full weights. Export: the model.</summary>
    public GenerationTarget? Target { get; init; }

    /// <summary>Export: <c>peft</c>, <c>merged</c> or <c>gguf</c>.</summary>
    public string? Format { get; init; }

    /// <summary>Export: how weights are stored; null keeps them as they are.</summary>
    public string? Dtype { get; init; }

    /// <summary>Delete: what goes.</summary>
    public IReadOnlyList<BlobPlace> Places { get; init; } = [];

    /// <summary>What the worker made, when it succeeded.</summary>
    public ModelTaskResult? Result { get; init; }

    /// <summary>Why not, when it failed; for the owner.</summary>
    public JobError? Error { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Folder in the models container below which attempts write, each in a folder named by its token; with a slash at its end.</summary>
    public string OutputPrefix => $"{AccountId}/{Id}/";

    /// <summary>The task's key.</summary>
    public ModelTaskRef Ref() => new(AccountId, Id);
}

/// <summary>A file of an uploaded model.</summary>
/// <param name="Container">Where its bytes lie.</param>
/// <param name="BlobName">Where its bytes lie.</param>
/// <param name="Filename">Its name; says what it is.</param>
/// <param name="IsOwned">Whether the bytes go when the check has ended; false for a file of the owner that stays.</param>
/// <param name="FileId">The owner's file, where it is one that stays.</param>
public sealed record UploadedModelFile(string Container, string BlobName, string Filename, bool IsOwned, string? FileId = null);

/// <summary>Blobs of one container whose names begin with a prefix.</summary>
/// <param name="Container">Container.</param>
/// <param name="Prefix">With a slash at its end.</param>
public sealed record BlobPlace(string Container, string Prefix);

/// <summary>What a worker made of a task.</summary>
public sealed record ModelTaskResult
{
    /// <summary>Blob prefix in the models container whose <c>manifest.json</c> is complete.</summary>
    public required string Prefix { get; init; }

    /// <summary>SHA-256 of the manifest.</summary>
    public required string Revision { get; init; }

    /// <summary>Check: an adapter; false: full weights.</summary>
    public bool IsAdapter { get; init; }

    /// <summary>Check: parameters of the files.</summary>
    public long ParameterCount { get; init; }

    /// <summary>Check: longest sequence in tokens; 0 of an adapter.</summary>
    public int ContextLength { get; init; }

    /// <summary>Check: whether a chat template is there.</summary>
    public bool HasChatTemplate { get; init; }

    /// <summary>Export: what is to be known of it.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
