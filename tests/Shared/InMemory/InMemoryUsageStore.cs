using System.Runtime.CompilerServices;
using LangTrain.Core.Usage;

namespace LangTrain.Testing;

/// <summary>Usage in memory. Thread-safe.</summary>
public sealed class InMemoryUsageStore : IUsageStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string, DateOnly, string, string, string), UsageRow> _rows = [];

    public Task PutAsync(IReadOnlyList<UsageRow> rows, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            foreach (var row in rows)
            {
                _rows[(row.AccountId, row.Day, row.KeyId, row.ModelId, row.Source)] = row;
            }
        }

        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<UsageRow> ListAsync(
        string accountId, DateOnly from, DateOnly to, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        UsageRow[] rows;
        lock (_lock)
        {
            rows = [.. _rows.Values.Where(row => row.AccountId == accountId && row.Day >= from && row.Day <= to)];
        }

        await Task.CompletedTask;
        foreach (var row in rows)
        {
            yield return row;
        }
    }
}
