using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using LangTrain.Contracts.Batches;
using LangTrain.Core.Batches;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Batches in a table: rows by account, and the marks of those that have not ended. Thread-safe.</summary>
internal sealed class TableBatchStore(LazyResource<TableClient> table, TimeProvider time) : IBatchStore
{
    private readonly IndexedRows<Batch> _rows = new(
        table, StoredJson.Batch, batch => batch.AccountId, batch => batch.Id, batch => batch.Status.IsTerminal() ? "ended" : "active");

    private readonly ActiveMarks _marks = new(table, time, "BatchId");

    /// <inheritdoc/>
    public async Task CreateAsync(Batch batch, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        await _marks.AddAsync(batch.AccountId, batch.Id, cancellation);
        await _rows.InsertAsync(batch, cancellation);
    }

    /// <inheritdoc/>
    public Task<Versioned<Batch>?> FindAsync(BatchRef batch, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return _rows.FindAsync(batch.AccountId, batch.BatchId, cancellation);
    }

    /// <inheritdoc/>
    public async Task<Versioned<Batch>> UpdateAsync(Versioned<Batch> current, Batch changed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(changed);
        var written = await _rows.ReplaceAsync(current, changed, cancellation);
        if (changed.Status.IsTerminal())
        {
            await _marks.RemoveAsync(changed.AccountId, changed.Id, cancellation);
        }

        return written;
    }

    /// <inheritdoc/>
    public Task<Page<Batch>> ListAsync(string accountId, PageRequest page, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        return _rows.ListAsync(accountId, page, null, cancellation);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<BatchRef> ListActiveAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var (owner, id) in _marks.ListAsync(IsOverAsync, cancellation))
        {
            yield return new BatchRef(owner, id);
        }

        async Task<bool> IsOverAsync(string owner, string id) =>
            await _rows.FindAsync(owner, id, cancellation) is not { } row || row.Value.Status.IsTerminal();
    }
}
