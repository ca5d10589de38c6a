using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using LangTrain.Core;
using LangTrain.Core.Accounts;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Accounts and API keys in two tables. Thread-safe.</summary>
/// <remarks>
/// A key's row is found by its SHA-256 alone. An account's keys are named by rows in a partition of the account, each written before the key
/// itself: a key that opens the door is always in its owner's list, and a name without a key (a crash in between) is passed over.
/// </remarks>
internal sealed class TableAccountStore(LazyResource<TableClient> users, LazyResource<TableClient> keys) : IAccountStore
{
    private const string AccountRow = "account", KeyRow = "key", Sha256Column = "Sha256";

    private readonly JsonRows<Account> _accounts = new(users, StoredJson.Account);
    private readonly JsonRows<ApiKey> _keys = new(keys, StoredJson.ApiKey);

    /// <inheritdoc/>
    public async Task<Account?> FindAsync(string accountId, CancellationToken cancellation = default) =>
        (await _accounts.FindAsync(TableKeys.Owner(accountId), AccountRow, cancellation))?.Value;

    /// <inheritdoc/>
    public async Task CreateAsync(Account account, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(account);
        _ = await _accounts.AddAsync(TableKeys.Owner(account.Id), AccountRow, account, cancellation)
            ?? throw new AlreadyExistsException($"Account {account.Id}");
    }

    /// <inheritdoc/>
    public async Task<Page<Account>> ListAsync(int limit, string? after = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var client = await users.GetAsync(cancellation);
        var from = after is null ? "a-" : TableKeys.Owner(after);
        var rows = client.QueryAsync<TableEntity>(
            TableClient.CreateQueryFilter($"PartitionKey gt {from} and RowKey eq {AccountRow}"), limit + 1, cancellationToken: cancellation);
        var found = new List<Account>(limit + 1);
        await foreach (var row in rows)
        {
            found.Add(JsonRow.Read(row, StoredJson.Account));
            if (found.Count > limit)
            {
                break;
            }
        }

        return new Page<Account>([.. found.Take(limit)], found.Count > limit);
    }

    /// <inheritdoc/>
    public Task UpsertAsync(Account account, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(account);
        return _accounts.UpsertAsync(TableKeys.Owner(account.Id), AccountRow, account, cancellation);
    }

    /// <inheritdoc/>
    public Task<Versioned<ApiKey>?> FindKeyAsync(string sha256, CancellationToken cancellation = default) =>
        _keys.FindAsync(KeyPartition(sha256), KeyRow, cancellation);

    /// <inheritdoc/>
    public async Task CreateKeyAsync(ApiKey key, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        var client = await keys.GetAsync(cancellation);
        var name = new TableEntity(TableKeys.Owner(key.AccountId), NameRow(key)) { [Sha256Column] = key.Sha256 };
        await client.UpsertEntityAsync(name, TableUpdateMode.Replace, cancellation);
        _ = await _keys.AddAsync(KeyPartition(key.Sha256), KeyRow, key, cancellation) ?? throw new AlreadyExistsException($"Key {key.Prefix}");
    }

    /// <inheritdoc/>
    public async Task<Versioned<ApiKey>> UpdateKeyAsync(Versioned<ApiKey> current, ApiKey changed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(changed);
        if (current.Value.Sha256 != changed.Sha256 || current.Value.AccountId != changed.AccountId)
        {
            throw new ArgumentException("An update keeps the key's hash and owner.", nameof(changed));
        }

        return await _keys.ReplaceAsync(KeyPartition(changed.Sha256), KeyRow, current.ETag, changed, cancellation)
            ?? throw new StaleWriteException($"Key {changed.Id}");
    }

    /// <inheritdoc/>
    public async Task DeleteKeyAsync(ApiKey key, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        // The key before its name: what opens the door is in the list until it does so no more.
        await _keys.DeleteAsync(KeyPartition(key.Sha256), KeyRow, null, cancellation);
        var client = await keys.GetAsync(cancellation);
        await client.DeleteEntityAsync(TableKeys.Owner(key.AccountId), NameRow(key), ETag.All, cancellation);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Versioned<ApiKey>> ListKeysAsync(string accountId, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var client = await keys.GetAsync(cancellation);
        var partition = TableKeys.Owner(accountId);
        await foreach (var name in client.QueryAsync<TableEntity>(TableClient.CreateQueryFilter($"PartitionKey eq {partition}"), cancellationToken: cancellation))
        {
            // A name may stand for a key that never came to be, or (the same key given to two accounts) for somebody else's.
            if (await FindKeyAsync(name.GetString(Sha256Column), cancellation) is { } key
                && key.Value.AccountId == accountId && NameRow(key.Value) == name.RowKey)
            {
                yield return key;
            }
        }
    }

    private static string NameRow(ApiKey key) => TableKeys.Escape(Ids.NewestFirst(key.Id));

    private static string KeyPartition(string sha256) => "k-" + TableKeys.Escape(sha256);
}
