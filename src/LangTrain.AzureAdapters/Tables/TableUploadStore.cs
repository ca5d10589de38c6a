using System.Globalization;
using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Uploads in parts in a table: rows by account, and one partition of marks in the order in which their time ends. Thread-safe.</summary>
internal sealed class TableUploadStore(LazyResource<TableClient> table) : IUploadStore
{
    private const string ExpiryPartition = "expiry";

    private readonly JsonRows<UploadSession> _rows = new(table, StoredJson.UploadSession);

    /// <inheritdoc/>
    public async Task CreateAsync(UploadSession upload, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(upload);
        var client = await table.GetAsync(cancellation);
        await client.UpsertEntityAsync(Mark(upload), TableUpdateMode.Replace, cancellation);
        if (await _rows.AddAsync(TableKeys.Owner(upload.AccountId), TableKeys.Escape(upload.Id), upload, cancellation) is null)
        {
            throw new AlreadyExistsException($"Upload {upload.Id}");
        }
    }

    /// <inheritdoc/>
    public Task<Versioned<UploadSession>?> FindAsync(string accountId, string uploadId, CancellationToken cancellation = default) =>
        _rows.FindAsync(TableKeys.Owner(accountId), TableKeys.Escape(uploadId), cancellation);

    /// <inheritdoc/>
    public async Task<Versioned<UploadSession>> UpdateAsync(Versioned<UploadSession> current, UploadSession changed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(changed);
        return await _rows.ReplaceAsync(TableKeys.Owner(changed.AccountId), TableKeys.Escape(changed.Id), current.ETag, changed, cancellation)
            ?? throw new StaleWriteException($"Upload {changed.Id}");
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<UploadSession> ListDueAsync(DateTimeOffset at, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var client = await table.GetAsync(cancellation);
        var end = Ticks(at);
        var due = TableClient.CreateQueryFilter($"PartitionKey eq {ExpiryPartition} and RowKey lt {end}");
        await foreach (var mark in client.QueryAsync<TableEntity>(due, cancellationToken: cancellation))
        {
            if (await FindAsync(mark.GetString("AccountId"), mark.GetString("UploadId"), cancellation) is { } row)
            {
                yield return row.Value;
            }
            else
            {
                await client.DeleteEntityAsync(mark, ETag.All, cancellation);
            }
        }
    }

    /// <inheritdoc/>
    public async Task SettleAsync(UploadSession upload, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(upload);
        var client = await table.GetAsync(cancellation);
        await client.DeleteEntityAsync(Mark(upload), ETag.All, cancellation);
    }

    private static TableEntity Mark(UploadSession upload) =>
        new(ExpiryPartition, $"{Ticks(upload.ExpiresAt)}@{TableKeys.Escape(upload.AccountId)}@{TableKeys.Escape(upload.Id)}")
        {
            ["AccountId"] = upload.AccountId, ["UploadId"] = upload.Id,
        };

    private static string Ticks(DateTimeOffset at) => at.UtcTicks.ToString("D19", CultureInfo.InvariantCulture);
}
