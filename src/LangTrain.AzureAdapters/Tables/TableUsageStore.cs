using System.Globalization;
using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using LangTrain.Core.Usage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Usage in a table: a partition an account, rows in the order of their days. Thread-safe.</summary>
internal sealed class TableUsageStore(LazyResource<TableClient> table) : IUsageStore
{
    // What a transaction of the table service takes.
    private const int RowsPerTransaction = 100;

    /// <inheritdoc/>
    /// <remarks>Rows of one account and hundred are written together; a crash in between leaves the others at their older sums.</remarks>
    public async Task PutAsync(IReadOnlyList<UsageRow> rows, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var client = await table.GetAsync(cancellation);
        var entities = rows
            .Select(row => JsonRow.From(TableKeys.Owner(row.AccountId), Key(row), row, StoredJson.UsageRow))
            // A transaction takes a row once; the last word counts.
            .GroupBy(entity => (entity.PartitionKey, entity.RowKey), (_, same) => same.Last());
        foreach (var account in entities.GroupBy(entity => entity.PartitionKey))
        {
            foreach (var batch in account.Chunk(RowsPerTransaction))
            {
                await client.SubmitTransactionAsync(batch.Select(row => new TableTransactionAction(TableTransactionActionType.UpsertReplace, row)), cancellation);
            }
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<UsageRow> ListAsync(
        string accountId, DateOnly from, DateOnly to, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var client = await table.GetAsync(cancellation);
        var (partition, first, end) = (TableKeys.Owner(accountId), Day(from) + "@", Day(to) + "A");
        var range = TableClient.CreateQueryFilter($"PartitionKey eq {partition} and RowKey ge {first} and RowKey lt {end}");
        await foreach (var row in client.QueryAsync<TableEntity>(range, cancellationToken: cancellation))
        {
            yield return JsonRow.Read(row, StoredJson.UsageRow);
        }
    }

    private static string Key(UsageRow row) =>
        $"{Day(row.Day)}@{TableKeys.Escape(row.KeyId)}@{TableKeys.Escape(row.ModelId)}@{TableKeys.Escape(row.Source)}";

    private static string Day(DateOnly day) => day.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
}
