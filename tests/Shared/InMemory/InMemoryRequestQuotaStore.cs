using LangTrain.Core.Limits;

namespace LangTrain.Testing;

/// <summary>Request windows in memory. Thread-safe; instances that share one object share the limits.</summary>
public sealed class InMemoryRequestQuotaStore : IRequestQuotaStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, QuotaCounters> _rows = [];

    /// <summary>Takings so far, over all accounts.</summary>
    public int Takings { get; private set; }

    public Task<QuotaGrant> TakeAsync(string accountId, QuotaDemand demand, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            Takings++;
            var (row, grant) = QuotaCounters.Take(_rows.GetValueOrDefault(accountId), demand);
            _rows[accountId] = row;
            return Task.FromResult(grant);
        }
    }
}
