using Azure.Data.Tables;
using LangTrain.Testing;

namespace LangTrain.LocalHost.Tests.Azurite;

/// <summary>Ranges of a partition, which our script around Azurite reads by itself, against what the rows written and deleted so far say.</summary>
public sealed class TableRangesTests(AzuriteFixture azurite)
{
    private static readonly string[] s_partitions = ["a", "it's and so", "10"];

    [Fact]
    public async Task Ranges_are_what_was_written_in_key_order_through_writes_deletes_and_failed_transactions()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var table = new TableClient(azurite.ConnectionString, AzuriteFixture.UniqueName());
        await table.CreateAsync(cancellation);
        var random = new Random(7);
        var rows = new SortedDictionary<(string Partition, string Row), int>(Comparer<(string, string)>.Create(ByOrdinal));
        for (var step = 0; step < 150; step++)
        {
            var key = (Partition: s_partitions[random.Next(3)], Row: Key(random));
            switch (random.Next(4))
            {
                case 0 when rows.Remove(key):
                    await table.DeleteEntityAsync(key.Partition, key.Row, cancellationToken: cancellation);
                    break;
                case 1:
                    // Nothing of a failed transaction stays: neither its new row nor the change of an old one.
                    var old = rows.Keys.FirstOrDefault(one => one.Partition == key.Partition);
                    var doomed = new TableTransactionAction(TableTransactionActionType.Delete, new TableEntity(key.Partition, "missing"));
                    var write = new TableTransactionAction(TableTransactionActionType.UpsertReplace, Row(old.Row is null ? key : old, -1));
                    await Assert.ThrowsAsync<TableTransactionFailedException>(() => table.SubmitTransactionAsync([write, doomed], cancellation));
                    break;
                default:
                    rows[key] = step;
                    await table.UpsertEntityAsync(Row(key, step), TableUpdateMode.Replace, cancellation);
                    break;
            }

            if (step % 3 == 0)
            {
                await CompareAsync(table, rows, random, cancellation);
            }
        }

        static int ByOrdinal((string Partition, string Row) x, (string Partition, string Row) y) =>
            string.CompareOrdinal(x.Partition, y.Partition) is not 0 and var order ? order : string.CompareOrdinal(x.Row, y.Row);
    }

    private static async Task CompareAsync(
        TableClient table, SortedDictionary<(string Partition, string Row), int> rows, Random random, CancellationToken cancellation)
    {
        var (partition, low, high) = (s_partitions[random.Next(3)], Key(random), Key(random));
        var expected = rows.Where(row => row.Key.Partition == partition);
        var filter = TableClient.CreateQueryFilter($"PartitionKey eq {partition}");
        if (random.Next(4) > 0)
        {
            filter += random.Next(2) == 0 ? TableClient.CreateQueryFilter($" and RowKey gt {low}") : TableClient.CreateQueryFilter($" and RowKey ge {low}");
            expected = expected.Where(row => string.CompareOrdinal(row.Key.Row, low) is var order && (order > 0 || (order == 0 && filter.Contains(" ge ", StringComparison.Ordinal))));
        }

        if (random.Next(4) > 0)
        {
            filter += random.Next(2) == 0 ? TableClient.CreateQueryFilter($" and RowKey lt {high}") : TableClient.CreateQueryFilter($" and RowKey le {high}");
            expected = expected.Where(row => string.CompareOrdinal(row.Key.Row, high) is var order && (order < 0 || (order == 0 && filter.Contains(" le ", StringComparison.Ordinal))));
        }

        var found = await table.QueryAsync<TableEntity>(filter, maxPerPage: random.Next(1, 8), cancellationToken: cancellation)
            .Select(row => (row.RowKey, row.GetInt32("Step")!.Value)).ToListAsync(cancellation);
        Assert.Equal(expected.Select(row => (row.Key.Row, row.Value)), found);
    }

    private static TableEntity Row((string Partition, string Row) key, int step) => new(key.Partition, key.Row) { ["Step"] = step };

    // Few, so that they meet; some look like numbers, which are strings here too.
    private static string Key(Random random) => random.Next(3) switch
    {
        0 => $"{random.Next(1, 30)}",
        1 => $"r-{random.Next(12):x}",
        _ => $"R'{random.Next(6)} and é",
    };
}
