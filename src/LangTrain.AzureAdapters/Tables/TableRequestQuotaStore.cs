using System.Collections.Concurrent;
using Azure.Data.Tables;
using LangTrain.Core.Limits;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Request windows in a table, one row an account. Thread-safe.</summary>
/// <remarks>
/// The row as this process wrote it last is kept with its version, so a taking is one write as long as no other instance took in between; else it is a refused
/// write, a read and a write. A taking whose outcome stays unknown counts in the row and is not granted, and what it gave back is not given
/// back again: the limit is never passed. That is why writes are sent once, and not repeated by the client, which would blur the two cases.
/// </remarks>
/// <param name="table">For reading.</param>
/// <param name="once">The same table, whose client repeats nothing.</param>
internal sealed class TableRequestQuotaStore(LazyResource<TableClient> table, LazyResource<TableClient> once) : IRequestQuotaStore
{
    private const string QuotaRow = "requests";
    private const int MostAttempts = 50, MostUnclear = 3;
    private const int MostAccounts = 10_000;

    private readonly JsonRows<QuotaCounters> _rows = new(table, StoredJson.QuotaCounters);
    private readonly ConcurrentDictionary<string, Versioned<QuotaCounters>> _known = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    /// <exception cref="StaleWriteException">Other instances were faster many times in a row.</exception>
    public async Task<QuotaGrant> TakeAsync(string accountId, QuotaDemand demand, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(demand);
        var partition = "q-" + TableKeys.Escape(accountId);
        var client = await once.GetAsync(cancellation);
        var current = _known.GetValueOrDefault(accountId);
        for (var (attempt, unclear) = (1, 0); attempt <= MostAttempts; attempt++)
        {
            var (row, grant) = QuotaCounters.Take(current?.Value, demand);
            var entity = JsonRow.From(partition, QuotaRow, row, StoredJson.QuotaCounters);
            // Once sent, a taking is not cancelled: what it took and gave back must be known.
            cancellation.ThrowIfCancellationRequested();
            try
            {
                var written = current is null
                    ? await client.AddEntityAsync(entity, CancellationToken.None)
                    : await client.UpdateEntityAsync(entity, new ETag(current.ETag), TableUpdateMode.Replace, CancellationToken.None);
                Keep(accountId, new Versioned<QuotaCounters>(row, written.Headers.ETag!.Value.ToString()));
                return grant;
            }
            catch (RequestFailedException stale) when (stale.Status is 404 or 409 or 412)
            {
                // Another instance was faster; nothing was written.
            }
            catch (Exception failure) when (IsUnclear(failure) && unclear++ < MostUnclear)
            {
                var reader = await table.GetAsync(cancellation);
                if (await JsonRow.StoredByAsync(reader, entity, CancellationToken.None) is { } version)
                {
                    Keep(accountId, new Versioned<QuotaCounters>(row, version.ToString()));
                    return grant;
                }

                // Never written, or written and written over since.
                demand = demand with { ReturnToDay = 0 };
            }

            if (attempt > 1)
            {
                await Task.Delay(Random.Shared.Next(1, 5 + (2 * attempt)), cancellation);
            }

            current = await _rows.FindAsync(partition, QuotaRow, cancellation);
        }

        throw new StaleWriteException($"The request windows of {accountId}");
    }

    private static bool IsUnclear(Exception failure) => StorageOutage.Is(failure) || failure is IOException or HttpRequestException;

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
