using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure.Data.Tables;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Fine-tunes in a table: rows by account, and the marks of those that have not ended. Thread-safe.</summary>
internal sealed class TableFineTuneStore(LazyResource<TableClient> table, TimeProvider time) : IFineTuneStore
{
    private readonly IndexedRows<FineTune> _rows = new(
        table, StoredJson.FineTune, job => job.AccountId, job => job.Id, job => StatusName(job.Status));

    private readonly ActiveMarks _marks = new(table, time, "JobId");

    /// <inheritdoc/>
    public async Task CreateAsync(FineTune job, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        await _marks.AddAsync(job.AccountId, job.Id, cancellation);
        await _rows.InsertAsync(job, cancellation);
    }

    /// <inheritdoc/>
    public Task<Versioned<FineTune>?> FindAsync(FineTuneRef job, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        return _rows.FindAsync(job.AccountId, job.JobId, cancellation);
    }

    /// <inheritdoc/>
    public async Task<Versioned<FineTune>> UpdateAsync(Versioned<FineTune> current, FineTune changed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(changed);
        var written = await _rows.ReplaceAsync(current, changed, cancellation);
        if (FineTuneStateMachine.IsTerminal(changed.Status))
        {
            await _marks.RemoveAsync(changed.AccountId, changed.Id, cancellation);
        }

        return written;
    }

    /// <inheritdoc/>
    public Task<Page<FineTune>> ListAsync(string accountId, PageRequest page, FineTuneStatus? status = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        return _rows.ListAsync(accountId, page, status is { } wanted ? StatusName(wanted) : null, cancellation);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<FineTuneRef> ListActiveAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var (owner, id) in _marks.ListAsync(IsOverAsync, cancellation))
        {
            yield return new FineTuneRef(owner, id);
        }

        async Task<bool> IsOverAsync(string owner, string id) =>
            await FindAsync(new FineTuneRef(owner, id), cancellation) is not { } row || FineTuneStateMachine.IsTerminal(row.Value.Status);
    }

    private static string StatusName(FineTuneStatus status) => JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());
}
