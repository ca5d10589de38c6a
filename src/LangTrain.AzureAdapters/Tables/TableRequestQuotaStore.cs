using System.Collections.Concurrent;
using Azure.Data.Tables;
using LangTrain.Core.Limits;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Request windows in a table, one row an account. Thread-safe.</summary>
/// <remarks>
/// The row as this process wrote it last is kept with its version, so a taking is one write as long as no other instance took in between; else it is a refused
/// write, a read and a write. A taking whose outcome stays unknown counts in the row and is not granted: the limit is never passed.
/// </remarks>
internal sealed class TableRequestQuotaStore(LazyResource<TableClient> table) : IRequestQuotaStore
{
    private const string QuotaRow = "requests";
    private const int MostAttempts = 50;
    private const int MostAccounts = 10_000;

    private readonly JsonRows<QuotaCounters> _rows = new(table, StoredJson.QuotaCounters);
    private readonly ConcurrentDictionary<string, Versioned<QuotaCounters>> _known = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    /// <exception cref="StaleWriteException">Other instances were faster many times in a row.</exception>
    public async Task<QuotaGrant> TakeAsync(string accountId, QuotaDemand demand, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(demand);
        var partition = "q-" + TableKeys.Escape(accountId);
        var current = _known.GetValueOrDefault(accountId);
        for (var attempt = 1; attempt <= MostAttempts; attempt++)
        {
            var (row, grant) = QuotaCounters.Take(current?.Value, demand);
            // Once sent, a taking is not cancelled: what it took and gave back must be known.
            cancellation.ThrowIfCancellationRequested();
            var written = current is null
                ? await _rows.AddAsync(partition, QuotaRow, row, CancellationToken.None)
                : await _rows.ReplaceAsync(partition, QuotaRow, current.ETag, row, CancellationToken.None);
            if (written is not null)
            {
                Keep(accountId, written);
                return grant;
            }

            if (attempt > 1)
            {
                await Task.Delay(Random.Shared.Next(1, 5 + (2 * attempt)), cancellation);
            }

            current = await _rows.FindAsync(partition, QuotaRow, cancellation);
        }

        throw new StaleWriteException($"The request windows of {accountId}");
    }

    private void Keep(string accountId, Versioned<QuotaCounters> row)
    {
        if (_known.Count >= MostAccounts)
        {
            // Only a read more for each account.
            _known.Clear();
        }

        _known[accountId] = row;
    }
}
