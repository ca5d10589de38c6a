using LangTrain.Core.Storage;

namespace LangTrain.Core.Files;

/// <summary>Rows of uploads in parts. Thread-safe.</summary>
public interface IUploadStore
{
    /// <summary>Writes a new row, and before it the mark by which <see cref="ListDueAsync"/> finds it.</summary>
    /// <exception cref="AlreadyExistsException">An upload of this id is there.</exception>
    Task CreateAsync(UploadSession upload, CancellationToken cancellation = default);

    /// <summary>The row with its version; null when the account has no such upload.</summary>
    Task<Versioned<UploadSession>?> FindAsync(string accountId, string uploadId, CancellationToken cancellation = default);

    /// <summary>Replaces the row if it is still at <paramref name="current"/>'s version.</summary>
    /// <exception cref="StaleWriteException">The row was changed since.</exception>
    Task<Versioned<UploadSession>> UpdateAsync(Versioned<UploadSession> current, UploadSession changed, CancellationToken cancellation = default);

    /// <summary>Uploads of all accounts whose time ended before <paramref name="at"/> and that were not settled yet: for sweeps.</summary>
    IAsyncEnumerable<UploadSession> ListDueAsync(DateTimeOffset at, CancellationToken cancellation = default);

    /// <summary>Takes an upload off the list of due ones; its row stays.</summary>
    Task SettleAsync(UploadSession upload, CancellationToken cancellation = default);
}
