using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure.Data.Tables;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Fine-tunes in a table: rows by account, and one partition of marks that name the jobs which have not ended. Thread-safe.</summary>
/// <remarks>
/// The mark is written before the row and removed after the row has ended, so a crash in between leaves a mark too many, never one too few.
/// <see cref="ListActiveAsync"/> looks after old marks and removes those whose job has ended or never came to be.
/// </remarks>
internal sealed class TableFineTuneStore(LazyResource<TableClient> table, TimeProvider time) : IFineTuneStore
{
    private const string ActivePartition = "active";

    /// <summary>A mark older than this is compared with its row; far above the time that a creation can take.</summary>
    private static readonly TimeSpan MarkTrust = TimeSpan.FromMinutes(15);

    private readonly IndexedRows<FineTune> _rows = new(
        table, StoredJson.FineTune, job => job.AccountId, job => job.Id, job => StatusName(job.Status));

    /// <inheritdoc/>
    public async Task CreateAsync(FineTune job, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        var client = await table.GetAsync(cancellation);
        await client.UpsertEntityAsync(Mark(job.Ref(), time.GetUtcNow()), TableUpdateMode.Replace, cancellation);
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
            await RemoveMarkAsync(changed.Ref(), ETag.All, cancellation);
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
        var client = await table.GetAsync(cancellation);
        var trusted = time.GetUtcNow() - MarkTrust;
        await foreach (var mark in client.QueryAsync<TableEntity>($"PartitionKey eq '{ActivePartition}'", cancellationToken: cancellation))
        {
            var job = new FineTuneRef(mark.GetString("AccountId"), mark.GetString("JobId"));
            if (mark.GetDateTimeOffset("MarkedAt") < trusted
                && (await FindAsync(job, cancellation) is not { } row || FineTuneStateMachine.IsTerminal(row.Value.Status)))
            {
                await RemoveMarkAsync(job, mark.ETag, cancellation);
                continue;
            }

            yield return job;
        }
    }

    private async Task RemoveMarkAsync(FineTuneRef job, ETag version, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        try
        {
            await client.DeleteEntityAsync(Mark(job, default), version, cancellation);
        }
        catch (RequestFailedException failure) when (failure.Status == 412)
        {
            // Somebody creates this very job now; the mark is theirs.
        }
    }

    private static TableEntity Mark(FineTuneRef job, DateTimeOffset at) =>
        new(ActivePartition, TableKeys.Escape(job.AccountId) + "@" + TableKeys.Escape(job.JobId))
        {
            ["AccountId"] = job.AccountId, ["JobId"] = job.JobId, ["MarkedAt"] = at,
        };

    private static string StatusName(FineTuneStatus status) => JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());
}
