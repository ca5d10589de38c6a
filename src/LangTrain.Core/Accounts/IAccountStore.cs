using LangTrain.Core.Storage;

namespace LangTrain.Core.Accounts;

/// <summary>Rows of accounts and of their API keys. Thread-safe.</summary>
public interface IAccountStore
{
    /// <summary>An account, or null.</summary>
    Task<Account?> FindAsync(string accountId, CancellationToken cancellation = default);

    /// <summary>Writes a new account.</summary>
    /// <exception cref="AlreadyExistsException">An account of this id is there.</exception>
    Task CreateAsync(Account account, CancellationToken cancellation = default);

    /// <summary>A page of all accounts, by id: the operator's list.</summary>
    /// <param name="limit">Most accounts, at least 1.</param>
    /// <param name="after">Id of the last account of the page before, or null.</param>
    /// <param name="cancellation">Stops it.</param>
    Task<Page<Account>> ListAsync(int limit, string? after = null, CancellationToken cancellation = default);

    /// <summary>Writes an account, new or over an older row.</summary>
    Task UpsertAsync(Account account, CancellationToken cancellation = default);

    /// <summary>The key of this SHA-256 with its version, revoked and expired ones too; null when there is none.</summary>
    Task<Versioned<ApiKey>?> FindKeyAsync(string sha256, CancellationToken cancellation = default);

    /// <summary>Writes a new key.</summary>
    /// <exception cref="AlreadyExistsException">A key of this hash is there.</exception>
    Task CreateKeyAsync(ApiKey key, CancellationToken cancellation = default);

    /// <summary>Replaces a key's row if it is still at <paramref name="current"/>'s version.</summary>
    /// <exception cref="StaleWriteException">It was changed since.</exception>
    Task<Versioned<ApiKey>> UpdateKeyAsync(Versioned<ApiKey> current, ApiKey changed, CancellationToken cancellation = default);

    /// <summary>Deletes a key, whatever its version; no error when it is gone.</summary>
    Task DeleteKeyAsync(ApiKey key, CancellationToken cancellation = default);

    /// <summary>All keys of an account.</summary>
    IAsyncEnumerable<Versioned<ApiKey>> ListKeysAsync(string accountId, CancellationToken cancellation = default);
}
