using System.Text.Json;
using Azure;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Microsoft.DurableTask.Client;

namespace LangTrain.LocalHost.Durable;

/// <summary>
/// Orchestrations in a table. A turn is one transaction in the instance's partition: the messages that it handled go, its turn is added,
/// its row changes, all or nothing. Thread-safe.
/// </summary>
internal sealed class DurableStore
{
    /// <summary>Messages of one turn: a transaction has 100 rows at most, and the turn's own are among them.</summary>
    public const int MaxMessagesOfTurn = 90;

    private const int LongestStatusText = 60_000;
    private const int LongestRowText = 300_000;
    private const string TextColumn = "Text";

    private readonly TableClient _table;
    private readonly BlobContainerClient _blobs;
    private readonly PayloadColumns _payloads;

    public DurableStore(string connectionString, string taskHub)
    {
        _table = new TableClient(connectionString, taskHub + "Durable");
        _blobs = new BlobContainerClient(connectionString, taskHub.ToLowerInvariant() + "-durable");
        _payloads = new PayloadColumns(_blobs);
    }

    /// <summary>Makes table and container where they are absent.</summary>
    public async Task PrepareAsync(CancellationToken cancellation)
    {
        await _table.CreateIfNotExistsAsync(cancellation);
        await _blobs.CreateIfNotExistsAsync(cancellationToken: cancellation);
    }

    /// <summary>Ids of all instances that have not ended.</summary>
    public async Task<IReadOnlyList<string>> ListUnfinishedAsync(CancellationToken cancellation)
    {
        var filter = TableClient.CreateQueryFilter(
            $"RowKey eq {DurableKeys.Instance} and (Status eq {nameof(OrchestrationRuntimeStatus.Pending)} or Status eq {nameof(OrchestrationRuntimeStatus.Running)} or Status eq {nameof(OrchestrationRuntimeStatus.Suspended)})");
        var ids = new List<string>();
        await foreach (var row in _table.QueryAsync<TableEntity>(filter, select: ["InstanceId"], cancellationToken: cancellation))
        {
            ids.Add(row.GetString("InstanceId"));
        }

        return ids;
    }

    /// <summary>The row of an instance, or null.</summary>
    public async Task<InstanceRecord?> FindAsync(string instanceId, CancellationToken cancellation)
    {
        var row = await _table.GetEntityIfExistsAsync<TableEntity>(
            DurableKeys.Partition(instanceId), DurableKeys.Instance, cancellationToken: cancellation);
        return row.HasValue ? await ReadRecordAsync(row.Value!, cancellation) : null;
    }

    /// <summary>Everything of an instance, or null.</summary>
    public async Task<StoredInstance?> LoadAsync(string instanceId, CancellationToken cancellation)
    {
        var rows = await RowsAsync(instanceId, cancellation);
        if (rows.Find(row => row.RowKey == DurableKeys.Instance) is not { } instance)
        {
            return null;
        }

        var record = await ReadRecordAsync(instance, cancellation);
        var turns = new List<HistoryTurn>();
        foreach (var row in rows.Where(row => row.RowKey.StartsWith(DurableKeys.Turns(record.Generation), StringComparison.Ordinal)))
        {
            turns.Add(JsonSerializer.Deserialize((await _payloads.ReadAsync(row, TextColumn, cancellation))!, DurableJson.Default.HistoryTurn)!);
        }

        var inbox = new List<InboxEntry>();
        foreach (var row in rows.Where(row => row.RowKey.StartsWith(DurableKeys.InboxPrefix, StringComparison.Ordinal)))
        {
            var text = (await _payloads.ReadAsync(row, TextColumn, cancellation))!;
            inbox.Add(new InboxEntry(row.RowKey, JsonSerializer.Deserialize(text, DurableJson.Default.DurableMessage)!));
        }

        return new StoredInstance(record, turns, inbox);
    }

    /// <summary>Stores a new instance with its start message, or one in place of an ended one (whose version it carries).</summary>
    /// <exception cref="RequestFailedException">409 or 412: another one was quicker.</exception>
    public async Task<InstanceRecord> CreateAsync(InstanceRecord record, DurableMessage start, CancellationToken cancellation)
    {
        if (record.ETag != default)
        {
            await DeleteRowsAsync(record.InstanceId, row => row.RowKey != DurableKeys.Instance, cancellation);
        }

        var row = await WriteRecordAsync(record, cancellation);
        var actions = new List<TableTransactionAction>
        {
            record.ETag == default
                ? new TableTransactionAction(TableTransactionActionType.Add, row)
                : new TableTransactionAction(TableTransactionActionType.UpdateReplace, row, record.ETag),
            new(TableTransactionActionType.UpsertReplace, await WriteMessageAsync(record.InstanceId, DurableKeys.StartMessage, start, cancellation)),
        };
        return record with { ETag = await SubmitAsync(actions, cancellation) };
    }

    /// <summary>Puts a message into an instance's inbox. Repeating it with the same key changes nothing.</summary>
    public async Task AppendAsync(string instanceId, string rowKey, DurableMessage message, CancellationToken cancellation)
    {
        try
        {
            await _table.AddEntityAsync(await WriteMessageAsync(instanceId, rowKey, message, cancellation), cancellation);
        }
        catch (RequestFailedException repeated) when (repeated.Status == 409)
        {
            // The key is ours alone: the first try got through, and its answer was lost.
        }
    }

    /// <summary>Commits a turn.</summary>
    /// <param name="record">The instance's new state; its version is that of the state which the turn began from.</param>
    /// <param name="turn">The turn and its number in the generation; null where no history is added.</param>
    /// <param name="restart">The start message of the next generation; null where the instance does not start anew.</param>
    /// <param name="handled">Rows of the messages that were handled.</param>
    /// <param name="cancellation">Stops it before it is sent.</param>
    /// <exception cref="RequestFailedException">412: the instance was changed by another process.</exception>
    public async Task<InstanceRecord> CommitAsync(
        InstanceRecord record, (int Index, HistoryTurn Turn)? turn, DurableMessage? restart, IEnumerable<string> handled, CancellationToken cancellation)
    {
        var actions = new List<TableTransactionAction>
        {
            new(TableTransactionActionType.UpdateReplace, await WriteRecordAsync(record, cancellation), record.ETag),
        };
        if (turn is { } added)
        {
            var row = new TableEntity(DurableKeys.Partition(record.InstanceId), DurableKeys.Turn(record.Generation, added.Index));
            var text = JsonSerializer.Serialize(added.Turn, DurableJson.Default.HistoryTurn);
            await _payloads.WriteAsync(row, TextColumn, text, LongestRowText, cancellation);
            actions.Add(new TableTransactionAction(TableTransactionActionType.Add, row));
        }

        if (restart is not null)
        {
            actions.Add(new TableTransactionAction(
                TableTransactionActionType.UpsertReplace, await WriteMessageAsync(record.InstanceId, DurableKeys.StartMessage, restart, cancellation)));
        }

        var partition = DurableKeys.Partition(record.InstanceId);
        actions.AddRange(handled.Where(key => restart is null || key != DurableKeys.StartMessage)
            .Select(key => new TableTransactionAction(TableTransactionActionType.Delete, new TableEntity(partition, key), ETag.All)));
        return record with { ETag = await SubmitAsync(actions, cancellation) };
    }

    /// <summary>Deletes the turns of generations before this one.</summary>
    public Task DeleteEarlierTurnsAsync(string instanceId, int generation, CancellationToken cancellation) =>
        DeleteRowsAsync(
            instanceId,
            row => row.RowKey.StartsWith(DurableKeys.HistoryPrefix, StringComparison.Ordinal)
                && string.CompareOrdinal(row.RowKey, DurableKeys.Turns(generation)) < 0,
            cancellation);

    /// <summary>Deletes an instance; its own row last, so that it can be found until all is gone.</summary>
    public async Task DeleteAsync(string instanceId, CancellationToken cancellation)
    {
        var partition = DurableKeys.Partition(instanceId);
        await DeleteRowsAsync(instanceId, row => row.RowKey != DurableKeys.Instance, cancellation);
        await _payloads.DeleteAllAsync(partition, cancellation);
        await _table.DeleteEntityAsync(partition, DurableKeys.Instance, ETag.All, cancellation);
    }

    private async Task DeleteRowsAsync(string instanceId, Predicate<TableEntity> which, CancellationToken cancellation)
    {
        var rows = await RowsAsync(instanceId, cancellation);
        foreach (var chunk in rows.Where(row => which(row)).Chunk(100))
        {
            await _table.SubmitTransactionAsync(
                chunk.Select(row => new TableTransactionAction(TableTransactionActionType.Delete, row, ETag.All)), cancellation);
        }
    }

    private async Task<List<TableEntity>> RowsAsync(string instanceId, CancellationToken cancellation)
    {
        var rows = new List<TableEntity>();
        var filter = TableClient.CreateQueryFilter($"PartitionKey eq {DurableKeys.Partition(instanceId)}");
        await foreach (var row in _table.QueryAsync<TableEntity>(filter, cancellationToken: cancellation))
        {
            rows.Add(row);
        }

        rows.Sort((one, other) => string.CompareOrdinal(one.RowKey, other.RowKey));
        return rows;
    }

    // The instance's row comes first in every transaction.
    private async Task<ETag> SubmitAsync(List<TableTransactionAction> actions, CancellationToken cancellation)
    {
        var answers = await _table.SubmitTransactionAsync(actions, cancellation);
        return answers.Value[0].Headers.ETag ?? throw new InvalidDataException("The table gave no version for a changed row.");
    }

    private async Task<TableEntity> WriteMessageAsync(string instanceId, string rowKey, DurableMessage message, CancellationToken cancellation)
    {
        var row = new TableEntity(DurableKeys.Partition(instanceId), rowKey);
        var text = JsonSerializer.Serialize(message, DurableJson.Default.DurableMessage);
        await _payloads.WriteAsync(row, TextColumn, text, LongestRowText, cancellation);
        return row;
    }

    private async Task<TableEntity> WriteRecordAsync(InstanceRecord record, CancellationToken cancellation)
    {
        var row = new TableEntity(DurableKeys.Partition(record.InstanceId), DurableKeys.Instance)
        {
            ["InstanceId"] = record.InstanceId,
            ["Name"] = record.Name,
            ["Status"] = record.Status.ToString(),
            ["Generation"] = record.Generation,
            ["CreatedAt"] = record.CreatedAt,
            ["LastUpdatedAt"] = record.LastUpdatedAt,
            ["StartAt"] = record.StartAt,
        };
        var failure = record.Failure is null ? null : JsonSerializer.Serialize(record.Failure, DurableJson.Default.TaskFailureDetails);
        await _payloads.WriteAsync(row, nameof(record.Input), record.Input, LongestStatusText, cancellation);
        await _payloads.WriteAsync(row, nameof(record.Output), record.Output, LongestStatusText, cancellation);
        await _payloads.WriteAsync(row, nameof(record.CustomStatus), record.CustomStatus, LongestStatusText, cancellation);
        await _payloads.WriteAsync(row, nameof(record.Failure), failure, LongestStatusText, cancellation);
        return row;
    }

    private async Task<InstanceRecord> ReadRecordAsync(TableEntity row, CancellationToken cancellation)
    {
        var failure = await _payloads.ReadAsync(row, nameof(InstanceRecord.Failure), cancellation);
        return new InstanceRecord
        {
            InstanceId = row.GetString("InstanceId"),
            Name = row.GetString("Name"),
            Status = Enum.Parse<OrchestrationRuntimeStatus>(row.GetString("Status")),
            Generation = row.GetInt32("Generation")!.Value,
            CreatedAt = row.GetDateTimeOffset("CreatedAt")!.Value,
            LastUpdatedAt = row.GetDateTimeOffset("LastUpdatedAt")!.Value,
            StartAt = row.GetDateTimeOffset("StartAt"),
            Input = await _payloads.ReadAsync(row, nameof(InstanceRecord.Input), cancellation),
            Output = await _payloads.ReadAsync(row, nameof(InstanceRecord.Output), cancellation),
            CustomStatus = await _payloads.ReadAsync(row, nameof(InstanceRecord.CustomStatus), cancellation),
            Failure = failure is null ? null : JsonSerializer.Deserialize(failure, DurableJson.Default.TaskFailureDetails),
            ETag = row.ETag,
        };
    }
}
