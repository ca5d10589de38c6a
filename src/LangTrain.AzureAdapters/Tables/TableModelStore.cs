using System.Runtime.CompilerServices;
using Azure.Data.Tables;
using LangTrain.Core.Models;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Models in a table: a partition an account and one for the base models, by escaped id. Thread-safe.</summary>
internal sealed class TableModelStore(LazyResource<TableClient> table) : IModelStore
{
    private const string BasePartition = "base";

    /// <inheritdoc/>
    public async Task<StoredModel?> FindAsync(string? accountId, string modelId, CancellationToken cancellation = default)
    {
        var client = await table.GetAsync(cancellation);
        var found = await client.GetEntityIfExistsAsync<TableEntity>(Partition(accountId), TableKeys.Escape(modelId), cancellationToken: cancellation);
        return found.HasValue ? JsonRow.Read(found.Value!, StoredJson.Default.StoredModel) : null;
    }

    /// <inheritdoc/>
    public async Task UpsertAsync(StoredModel model, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        var client = await table.GetAsync(cancellation);
        var row = JsonRow.From(Partition(model.AccountId), TableKeys.Escape(model.Id), model, StoredJson.Default.StoredModel);
        await client.UpsertEntityAsync(row, TableUpdateMode.Replace, cancellation);
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(string? accountId, string modelId, CancellationToken cancellation = default)
    {
        var client = await table.GetAsync(cancellation);
        var response = await client.DeleteEntityAsync(Partition(accountId), TableKeys.Escape(modelId), cancellationToken: cancellation);
        return response.Status != 404;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredModel> ListAsync(string? accountId, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var client = await table.GetAsync(cancellation);
        var partition = Partition(accountId);
        await foreach (var row in client.QueryAsync<TableEntity>(TableClient.CreateQueryFilter($"PartitionKey eq {partition}"), cancellationToken: cancellation))
        {
            yield return JsonRow.Read(row, StoredJson.Default.StoredModel);
        }
    }

    private static string Partition(string? accountId) => accountId is null ? BasePartition : TableKeys.Owner(accountId);
}
