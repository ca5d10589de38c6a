using LangTrain.Core.Storage;

namespace LangTrain.Core.Files;

/// <summary>Rows of uploaded files. Thread-safe.</summary>
public interface IFileStore
{
    /// <summary>Writes a new row.</summary>
    /// <exception cref="AlreadyExistsException">A file of this id is there.</exception>
    Task CreateAsync(StoredFile file, CancellationToken cancellation = default);

    /// <summary>A file of an account, or null.</summary>
    Task<StoredFile?> FindAsync(string accountId, string fileId, CancellationToken cancellation = default);

    /// <summary>The row with its version; null when the account has no such file.</summary>
    Task<Versioned<StoredFile>?> FindVersionAsync(string accountId, string fileId, CancellationToken cancellation = default);

    /// <summary>Replaces the row if it is still at <paramref name="current"/>'s version. It expires as before.</summary>
    /// <exception cref="StaleWriteException">The row was changed or deleted since.</exception>
    Task<Versioned<StoredFile>> UpdateAsync(Versioned<StoredFile> current, StoredFile changed, CancellationToken cancellation = default);

    /// <summary>
    /// Gives the row another version and leaves it as it is otherwise; false when there is none. Whoever has written down that it will read a file
    /// touches it, so that a deletion which was decided before that is not carried out.
    /// </summary>
    Task<bool> TouchAsync(string accountId, string fileId, CancellationToken cancellation = default);

    /// <summary>Deletes the row if it is still at <paramref name="current"/>'s version; false when it was changed or deleted since.</summary>
    Task<bool> DeleteAsync(Versioned<StoredFile> current, CancellationToken cancellation = default);

    /// <summary>Deletes a row, whatever its version; false when there was none.</summary>
    Task<bool> DeleteAsync(string accountId, string fileId, CancellationToken cancellation = default);

    /// <summary>A page of an account's files.</summary>
    Task<Page<StoredFile>> ListAsync(string accountId, PageRequest page, string? purpose = null, CancellationToken cancellation = default);

    /// <summary>Files of all accounts that expired before <paramref name="at"/>: for sweeps.</summary>
    IAsyncEnumerable<StoredFile> ListExpiredAsync(DateTimeOffset at, CancellationToken cancellation = default);
}
