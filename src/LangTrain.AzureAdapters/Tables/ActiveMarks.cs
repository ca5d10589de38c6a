using System.Runtime.CompilerServices;
using Azure.Data.Tables;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>One partition of a table that names the records of all accounts which have not ended. Thread-safe.</summary>
/// <remarks>
/// A mark is written before its record and removed after the record has ended, so a crash in between leaves a mark too many, never one too few.
/// <see cref="ListAsync"/> looks after old marks and removes those whose record has ended or never came to be.
/// </remarks>
internal sealed class ActiveMarks(LazyResource<TableClient> table, TimeProvider time, string idColumn)
{
    private const string ActivePartition = "active";

    /// <summary>A mark older than this is compared with its record; far above the time that a creation can take.</summary>
    private static readonly TimeSpan MarkTrust = TimeSpan.FromMinutes(15);

    /// <summary>Writes a record's mark.</summary>
    public async Task AddAsync(string owner, string id, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        await client.UpsertEntityAsync(Mark(owner, id, time.GetUtcNow()), TableUpdateMode.Replace, cancellation);
    }

    /// <summary>Removes the mark of a record that has ended.</summary>
    public Task RemoveAsync(string owner, string id, CancellationToken cancellation) => RemoveAsync(owner, id, ETag.All, cancellation);

    /// <summary>All marks that are worth a look.</summary>
    /// <param name="isOver">Whether a record has ended or is not there.</param>
    /// <param name="cancellation">Stops it.</param>
    public async IAsyncEnumerable<(string Owner, string Id)> ListAsync(
        Func<string, string, Task<bool>> isOver, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        var trusted = time.GetUtcNow() - MarkTrust;
        await foreach (var mark in client.QueryAsync<TableEntity>($"PartitionKey eq '{ActivePartition}'", cancellationToken: cancellation))
        {
            var (owner, id) = (mark.GetString("AccountId"), mark.GetString(idColumn));
            if (mark.GetDateTimeOffset("MarkedAt") < trusted && await isOver(owner, id))
            {
                await RemoveAsync(owner, id, mark.ETag, cancellation);
                continue;
            }

            yield return (owner, id);
        }
    }

    private async Task RemoveAsync(string owner, string id, ETag version, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        try
        {
            await client.DeleteEntityAsync(Mark(owner, id, default), version, cancellation);
        }
        catch (RequestFailedException failure) when (failure.Status == 412)
        {
            // Somebody creates this very record now; the mark is theirs.
        }
    }

    private TableEntity Mark(string owner, string id, DateTimeOffset at) => new(ActivePartition, TableKeys.Escape(owner) + "@" + TableKeys.Escape(id))
    {
        ["AccountId"] = owner, [idColumn] = id, ["MarkedAt"] = at,
    };
}
