using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using LangTrain.Core.Models;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Models in a table: a partition an account and one for the base models, by escaped id. Thread-safe.</summary>
internal sealed class TableModelStore(LazyResource<TableClient> table) : IModelStore
{
    private const string BasePartition = "base";

    private readonly JsonRows<StoredModel> _rows = new(table, StoredJson.StoredModel);

    /// <inheritdoc/>
    public async Task<StoredModel?> FindAsync(string? accountId, string modelId, CancellationToken cancellation = default) =>
        (await _rows.FindAsync(Partition(accountId), TableKeys.Escape(modelId), cancellation))?.Value;

    /// <inheritdoc/>
    public Task UpsertAsync(StoredModel model, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        return _rows.UpsertAsync(Partition(model.AccountId), TableKeys.Escape(model.Id), model, cancellation);
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string? accountId, string modelId, CancellationToken cancellation = default) =>
        _rows.DeleteAsync(Partition(accountId), TableKeys.Escape(modelId), null, cancellation);

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredModel> ListAsync(string? accountId, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var client = await table.GetAsync(cancellation);
        var partition = Partition(accountId);
        await foreach (var row in client.QueryAsync<TableEntity>(TableClient.CreateQueryFilter($"PartitionKey eq {partition}"), cancellationToken: cancellation))
        {
            yield return JsonRow.Read(row, StoredJson.StoredModel);
        }
    }

    private static string Partition(string? accountId) => accountId is null ? BasePartition : TableKeys.Owner(accountId);
}
