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

    /// <inheritdoc/>
    public async Task<Account?> FindAsync(string accountId, CancellationToken cancellation = default)
    {
        var client = await users.GetAsync(cancellation);
        var found = await client.GetEntityIfExistsAsync<TableEntity>(TableKeys.Owner(accountId), AccountRow, cancellationToken: cancellation);
        return found.HasValue ? JsonRow.Read(found.Value!, StoredJson.Default.Account) : null;
    }

    /// <inheritdoc/>
    public async Task UpsertAsync(Account account, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(account);
        var client = await users.GetAsync(cancellation);
        var row = JsonRow.From(TableKeys.Owner(account.Id), AccountRow, account, StoredJson.Default.Account);
        await client.UpsertEntityAsync(row, TableUpdateMode.Replace, cancellation);
    }

    /// <inheritdoc/>
    public async Task<Versioned<ApiKey>?> FindKeyAsync(string sha256, CancellationToken cancellation = default)
    {
        var client = await keys.GetAsync(cancellation);
        var found = await client.GetEntityIfExistsAsync<TableEntity>(KeyPartition(sha256), KeyRow, cancellationToken: cancellation);
        return found.HasValue ? Read(found.Value!) : null;
    }

    /// <inheritdoc/>
    public async Task CreateKeyAsync(ApiKey key, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        var client = await keys.GetAsync(cancellation);
        var name = new TableEntity(TableKeys.Owner(key.AccountId), TableKeys.Escape(Ids.NewestFirst(key.Id))) { [Sha256Column] = key.Sha256 };
        await client.UpsertEntityAsync(name, TableUpdateMode.Replace, cancellation);
        var row = Row(key);
        try
        {
            await client.AddEntityAsync(row, cancellation);
        }
        catch (RequestFailedException failure) when (failure.Status == 409)
        {
            if (await JsonRow.StoredByAsync(client, row, cancellation) is null)
            {
                throw new AlreadyExistsException($"Key {key.Prefix}", failure);
            }
        }
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

        var client = await keys.GetAsync(cancellation);
        var row = Row(changed);
        try
        {
            var written = await client.UpdateEntityAsync(row, new ETag(current.ETag), TableUpdateMode.Replace, cancellation);
            return new Versioned<ApiKey>(changed, written.Headers.ETag!.Value.ToString());
        }
        catch (RequestFailedException failure) when (failure.Status is 412 or 404)
        {
            return await JsonRow.StoredByAsync(client, row, cancellation) is { } etag
                ? new Versioned<ApiKey>(changed, etag.ToString())
                : throw new StaleWriteException($"Key {changed.Id}", failure);
        }
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
                && key.Value.AccountId == accountId && TableKeys.Escape(Ids.NewestFirst(key.Value.Id)) == name.RowKey)
            {
                yield return key;
            }
        }
    }

    private static Versioned<ApiKey> Read(TableEntity row) => new(JsonRow.Read(row, StoredJson.Default.ApiKey), row.ETag.ToString());

    private static TableEntity Row(ApiKey key) => JsonRow.From(KeyPartition(key.Sha256), KeyRow, key, StoredJson.Default.ApiKey);

    private static string KeyPartition(string sha256) => "k-" + TableKeys.Escape(sha256);
}
