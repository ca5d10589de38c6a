using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using LangTrain.Contracts.Models;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Storage;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Model tasks in a table: rows by account, and one partition of marks that name the tasks which are not settled. Thread-safe.</summary>
/// <remarks>A mark is written before its row and removed after the row, so a crash leaves a mark too many, never one too few.</remarks>
internal sealed class TableModelTaskStore(LazyResource<TableClient> table, TimeProvider time) : IModelTaskStore
{
    private const string ActivePartition = "active";

    /// <summary>A mark without a row is believed for so long: a creation may be between the two.</summary>
    private static readonly TimeSpan MarkTrust = TimeSpan.FromMinutes(15);

    private readonly JsonRows<ModelTask> _rows = new(table, StoredJson.ModelTask);

    /// <inheritdoc/>
    public async Task CreateAsync(ModelTask task, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        await MarkAsync(task.Ref(), cancellation);
        if (await _rows.AddAsync(TableKeys.Owner(task.AccountId), TableKeys.Escape(task.Id), task, cancellation) is null)
        {
            throw new AlreadyExistsException($"Model task {task.Id}");
        }
    }

    /// <inheritdoc/>
    public Task<Versioned<ModelTask>?> FindAsync(ModelTaskRef task, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        return _rows.FindAsync(TableKeys.Owner(task.AccountId), TableKeys.Escape(task.TaskId), cancellation);
    }

    /// <inheritdoc/>
    public async Task<Versioned<ModelTask>> UpdateAsync(Versioned<ModelTask> current, ModelTask changed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(changed);
        if (current.Value.IsSettled && !changed.IsSettled)
        {
            await MarkAsync(changed.Ref(), cancellation);
        }

        var written = await _rows.ReplaceAsync(TableKeys.Owner(changed.AccountId), TableKeys.Escape(changed.Id), current.ETag, changed, cancellation)
            ?? throw new StaleWriteException($"Model task {changed.Id}");
        if (changed.IsSettled)
        {
            await UnmarkAsync(changed.Ref(), cancellation);
        }

        return written;
    }

    /// <inheritdoc/>
    public async Task DeleteAsync(Versioned<ModelTask> current, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(current);
        var task = current.Value.Ref();
        if (!await _rows.DeleteAsync(TableKeys.Owner(task.AccountId), TableKeys.Escape(task.TaskId), current.ETag, cancellation)
            && await FindAsync(task, cancellation) is not null)
        {
            throw new StaleWriteException($"Model task {task.TaskId}");
        }

        await UnmarkAsync(task, cancellation);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ModelTask> ListAsync(string accountId, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var client = await table.GetAsync(cancellation);
        var partition = TableKeys.Owner(accountId);
        await foreach (var row in client.QueryAsync<TableEntity>(TableClient.CreateQueryFilter($"PartitionKey eq {partition}"), cancellationToken: cancellation))
        {
            yield return JsonRow.Read(row, StoredJson.ModelTask);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ModelTaskRef> ListActiveAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var client = await table.GetAsync(cancellation);
        await foreach (var mark in client.QueryAsync<TableEntity>($"PartitionKey eq '{ActivePartition}'", cancellationToken: cancellation))
        {
            var task = new ModelTaskRef(mark.GetString("AccountId"), mark.GetString("TaskId"));
            var row = await FindAsync(task, cancellation);
            if (row is { Value.IsSettled: false })
            {
                yield return task;
            }
            else if (row is not null || mark.Timestamp < time.GetUtcNow() - MarkTrust)
            {
                await UnmarkAsync(task, cancellation);
            }
        }
    }

    private async Task MarkAsync(ModelTaskRef task, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        await client.UpsertEntityAsync(Mark(task), TableUpdateMode.Replace, cancellation);
    }

    private async Task UnmarkAsync(ModelTaskRef task, CancellationToken cancellation)
    {
        var client = await table.GetAsync(cancellation);
        await client.DeleteEntityAsync(Mark(task), ETag.All, cancellation);
    }

    private static TableEntity Mark(ModelTaskRef task) =>
        new(ActivePartition, TableKeys.Escape(task.AccountId) + "@" + TableKeys.Escape(task.TaskId))
        {
            ["AccountId"] = task.AccountId, ["TaskId"] = task.TaskId,
        };
}
