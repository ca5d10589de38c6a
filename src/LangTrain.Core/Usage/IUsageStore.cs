namespace LangTrain.Core.Usage;

/// <summary>Rows of usage. Thread-safe.</summary>
/// <remarks>
/// A row belongs to one source and holds that source's whole sum, not a difference: writing it twice counts once. Sources are the runs of service
/// instances (each has rows of its own, so nobody contends) and fine-tunes. The usage of a day is the sum over its sources.
/// </remarks>
public interface IUsageStore
{
    /// <summary>Writes rows, new or over the older ones of the same account, day, key, model and source.</summary>
    Task PutAsync(IReadOnlyList<UsageRow> rows, CancellationToken cancellation = default);

    /// <summary>Rows of an account from a day to a day, both included.</summary>
    IAsyncEnumerable<UsageRow> ListAsync(string accountId, DateOnly from, DateOnly to, CancellationToken cancellation = default);
}

/// <summary>What one source counted for a key and a model on a day.</summary>
/// <param name="AccountId">Owner.</param>
/// <param name="Day">UTC day.</param>
/// <param name="KeyId">The key; empty where none was used (a fine-tune's training).</param>
/// <param name="ModelId">The model; empty for requests of no model. Any text: it is encoded where names are restricted.</param>
/// <param name="Source">A run of an instance (<c>run-…</c>) or a fine-tune (<c>ftjob-…</c>).</param>
/// <param name="Amounts">The source's whole sum.</param>
public sealed record UsageRow(string AccountId, DateOnly Day, string KeyId, string ModelId, string Source, UsageAmounts Amounts);
