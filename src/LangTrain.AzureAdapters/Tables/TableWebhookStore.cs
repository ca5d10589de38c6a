using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure.Data.Tables;
using LangTrain.Core.Storage;
using LangTrain.Core.Webhooks;

namespace LangTrain.AzureAdapters.Tables;

/// <summary>Webhooks in one table, a partition an account; their deliveries in another, a partition a webhook. Thread-safe.</summary>
internal sealed class TableWebhookStore(LazyResource<TableClient> webhooks, LazyResource<TableClient> deliveries) : IWebhookStore
{
    private readonly JsonRows<Webhook> _webhooks = new(webhooks, StoredJson.Webhook);

    private readonly IndexedRows<WebhookDelivery> _deliveries = new(
        deliveries, StoredJson.WebhookDelivery, one => Owner(one.AccountId, one.WebhookId), one => one.Id, one => StatusName(one.Status));

    /// <inheritdoc/>
    public async Task CreateAsync(Webhook webhook, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(webhook);
        _ = await _webhooks.AddAsync(TableKeys.Owner(webhook.AccountId), Row(webhook.Id), webhook, cancellation)
            ?? throw new AlreadyExistsException($"Webhook {webhook.Id}");
    }

    /// <inheritdoc/>
    public Task<Versioned<Webhook>?> FindAsync(string accountId, string webhookId, CancellationToken cancellation = default) =>
        _webhooks.FindAsync(TableKeys.Owner(accountId), Row(webhookId), cancellation);

    /// <inheritdoc/>
    public async Task<Versioned<Webhook>> UpdateAsync(Versioned<Webhook> current, Webhook changed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(changed);
        return await _webhooks.ReplaceAsync(TableKeys.Owner(changed.AccountId), Row(changed.Id), current.ETag, changed, cancellation)
            ?? throw new StaleWriteException($"Webhook {changed.Id}");
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string accountId, string webhookId, CancellationToken cancellation = default) =>
        _webhooks.DeleteAsync(TableKeys.Owner(accountId), Row(webhookId), null, cancellation);

    /// <inheritdoc/>
    public async IAsyncEnumerable<Webhook> ListAsync(string accountId, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var client = await webhooks.GetAsync(cancellation);
        var partition = TableKeys.Owner(accountId);
        await foreach (var row in client.QueryAsync<TableEntity>(TableClient.CreateQueryFilter($"PartitionKey eq {partition}"), cancellationToken: cancellation))
        {
            yield return JsonRow.Read(row, StoredJson.Webhook);
        }
    }

    /// <inheritdoc/>
    public Task CreateDeliveryAsync(WebhookDelivery delivery, CancellationToken cancellation = default) => _deliveries.InsertAsync(delivery, cancellation);

    /// <inheritdoc/>
    public Task<Versioned<WebhookDelivery>?> FindDeliveryAsync(
        string accountId, string webhookId, string deliveryId, CancellationToken cancellation = default) =>
        _deliveries.FindAsync(Owner(accountId, webhookId), deliveryId, cancellation);

    /// <inheritdoc/>
    public Task UpdateDeliveryAsync(Versioned<WebhookDelivery> current, WebhookDelivery changed, CancellationToken cancellation = default) =>
        _deliveries.ReplaceAsync(current, changed, cancellation);

    /// <inheritdoc/>
    public Task<Page<WebhookDelivery>> ListDeliveriesAsync(
        string accountId, string webhookId, PageRequest page, WebhookDeliveryStatus? status = null, CancellationToken cancellation = default) =>
        _deliveries.ListAsync(Owner(accountId, webhookId), page, status is { } wanted ? StatusName(wanted) : null, cancellation);

    /// <inheritdoc/>
    public Task<bool> DeleteDeliveryAsync(string accountId, string webhookId, string deliveryId, CancellationToken cancellation = default) =>
        _deliveries.DeleteAsync(Owner(accountId, webhookId), deliveryId, cancellation);

    // A space stands in neither id as we make them, and an account's own text reaches neither half of a partition that is not its own.
    private static string Owner(string accountId, string webhookId) => accountId + " " + webhookId;

    // A row key may not be empty.
    private static string Row(string webhookId) => "w-" + TableKeys.Escape(webhookId);

    private static string StatusName(WebhookDeliveryStatus status) => JsonNamingPolicy.SnakeCaseLower.ConvertName(status.ToString());
}
