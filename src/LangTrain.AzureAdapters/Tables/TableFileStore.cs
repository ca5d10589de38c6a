using System.Globalization;
using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Files in a table: rows by account, and one partition of marks in the order in which files expire. Thread-safe.</summary>
/// <remarks>The mark is written before the row, and removed when it is found without one at the time at which the file would have expired.</remarks>
internal sealed class TableFileStore(LazyResource<TableClient> table) : IFileStore
{
    private const string ExpiryPartition = "expiry";

    private readonly IndexedRows<StoredFile> _rows = new(
        table, StoredJson.StoredFile, file => file.AccountId, file => file.Id, file => file.Purpose);

    /// <inheritdoc/>
    public async Task CreateAsync(StoredFile file, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        var client = await table.GetAsync(cancellation);
        if (file.ExpiresAt is { } at)
        {
            await client.UpsertEntityAsync(Mark(file, at), TableUpdateMode.Replace, cancellation);
        }

        await _rows.InsertAsync(file, cancellation);
    }

    /// <inheritdoc/>
    public async Task<StoredFile?> FindAsync(string accountId, string fileId, CancellationToken cancellation = default) =>
        (await _rows.FindAsync(accountId, fileId, cancellation))?.Value;

    /// <inheritdoc/>
    public Task<Versioned<StoredFile>?> FindVersionAsync(string accountId, string fileId, CancellationToken cancellation = default) =>
        _rows.FindAsync(accountId, fileId, cancellation);

    /// <inheritdoc/>
    public Task<Versioned<StoredFile>> UpdateAsync(Versioned<StoredFile> current, StoredFile changed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(changed);
        return _rows.ReplaceAsync(current, changed, cancellation);
    }

    /// <inheritdoc/>
    public Task<bool> TouchAsync(string accountId, string fileId, CancellationToken cancellation = default) =>
        _rows.TouchAsync(accountId, fileId, cancellation);

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(Versioned<StoredFile> current, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(current);
        return _rows.DeleteAsync(current, cancellation);
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string accountId, string fileId, CancellationToken cancellation = default) =>
        _rows.DeleteAsync(accountId, fileId, cancellation);

    /// <inheritdoc/>
    public Task<Page<StoredFile>> ListAsync(string accountId, PageRequest page, string? purpose = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        return _rows.ListAsync(accountId, page, purpose, cancellation);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredFile> ListExpiredAsync(DateTimeOffset at, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var client = await table.GetAsync(cancellation);
        var end = Ticks(at);
        var due = TableClient.CreateQueryFilter($"PartitionKey eq {ExpiryPartition} and RowKey lt {end}");
        await foreach (var mark in client.QueryAsync<TableEntity>(due, cancellationToken: cancellation))
        {
            var file = await FindAsync(mark.GetString("AccountId"), mark.GetString("FileId"), cancellation);
            if (file is null)
            {
                await client.DeleteEntityAsync(mark, ETag.All, cancellation);
            }
            else if (file.ExpiresAt < at)
            {
                yield return file;
            }
        }
    }

    private static TableEntity Mark(StoredFile file, DateTimeOffset at) =>
        new(ExpiryPartition, $"{Ticks(at)}@{TableKeys.Escape(file.AccountId)}@{TableKeys.Escape(file.Id)}")
        {
            ["AccountId"] = file.AccountId, ["FileId"] = file.Id,
        };

    private static string Ticks(DateTimeOffset at) => at.UtcTicks.ToString("D19", CultureInfo.InvariantCulture);
}
