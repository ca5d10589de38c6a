using Azure.Data.Tables;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Requests with an <c>Idempotency-Key</c> in a table: a partition an account, a row a key. Thread-safe.</summary>
internal sealed class TableIdempotencyStore(LazyResource<TableClient> table) : IIdempotencyStore
{
    private readonly JsonRows<IdempotentRequest> _rows = new(table, StoredJson.IdempotentRequest);

    /// <inheritdoc/>
    public async Task<Versioned<IdempotentRequest>> CreateAsync(IdempotentRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return await _rows.AddAsync(TableKeys.Owner(request.AccountId), Row(request.Key), request, cancellation)
            ?? throw new AlreadyExistsException($"The idempotency key '{request.Key}'");
    }

    /// <inheritdoc/>
    public Task<Versioned<IdempotentRequest>?> FindAsync(string accountId, string key, CancellationToken cancellation = default) =>
        _rows.FindAsync(TableKeys.Owner(accountId), Row(key), cancellation);

    /// <inheritdoc/>
    public async Task<Versioned<IdempotentRequest>> UpdateAsync(
        Versioned<IdempotentRequest> current, IdempotentRequest changed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(changed);
        return await _rows.ReplaceAsync(TableKeys.Owner(changed.AccountId), Row(changed.Key), current.ETag, changed, cancellation)
            ?? throw new StaleWriteException($"The idempotency key '{changed.Key}'");
    }

    /// <inheritdoc/>
    public Task DeleteAsync(Versioned<IdempotentRequest> current, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(current);
        return _rows.DeleteAsync(TableKeys.Owner(current.Value.AccountId), Row(current.Value.Key), current.ETag, cancellation);
    }

    /// <inheritdoc/>
    /// <remarks>By the table's own time of the last write; the table holds little more than a day's requests, so that a scan of it is cheap.</remarks>
    public async Task<int> DeleteBeforeAsync(DateTimeOffset moment, CancellationToken cancellation = default)
    {
        var client = await table.GetAsync(cancellation);
        var count = 0;
        var old = client.QueryAsync<TableEntity>(TableClient.CreateQueryFilter($"Timestamp lt {moment}"), cancellationToken: cancellation);
        await foreach (var row in old)
        {
            // Not if it was taken over meanwhile.
            count += await _rows.DeleteAsync(row.PartitionKey, row.RowKey, row.ETag.ToString(), cancellation) ? 1 : 0;
        }

        return count;
    }

    // A row key may not be empty.
    private static string Row(string key) => "i-" + TableKeys.Escape(key);
}
