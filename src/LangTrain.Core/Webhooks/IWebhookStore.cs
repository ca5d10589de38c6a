using LangTrain.Core.Storage;

namespace LangTrain.Core.Webhooks;

/// <summary>Rows of webhooks and of what is delivered to them. Thread-safe.</summary>
public interface IWebhookStore
{
    /// <summary>Writes a new webhook.</summary>
    /// <exception cref="AlreadyExistsException">One of this id is there.</exception>
    Task CreateAsync(Webhook webhook, CancellationToken cancellation = default);

    /// <summary>A webhook with its version; null when the account has no such one.</summary>
    Task<Versioned<Webhook>?> FindAsync(string accountId, string webhookId, CancellationToken cancellation = default);

    /// <summary>Replaces a webhook that is still at its version.</summary>
    /// <exception cref="StaleWriteException">It was changed or deleted since.</exception>
    Task<Versioned<Webhook>> UpdateAsync(Versioned<Webhook> current, Webhook changed, CancellationToken cancellation = default);

    /// <summary>Deletes a webhook; false when there was none. Its deliveries stay until <see cref="DeleteDeliveryAsync"/>.</summary>
    Task<bool> DeleteAsync(string accountId, string webhookId, CancellationToken cancellation = default);

    /// <summary>The webhooks of an account, oldest first.</summary>
    IAsyncEnumerable<Webhook> ListAsync(string accountId, CancellationToken cancellation = default);

    /// <summary>Writes a new delivery.</summary>
    /// <exception cref="AlreadyExistsException">The webhook has one of this id.</exception>
    Task CreateDeliveryAsync(WebhookDelivery delivery, CancellationToken cancellation = default);

    /// <summary>A delivery with its version, or null.</summary>
    Task<Versioned<WebhookDelivery>?> FindDeliveryAsync(string accountId, string webhookId, string deliveryId, CancellationToken cancellation = default);

    /// <summary>Replaces a delivery that is still at its version.</summary>
    /// <exception cref="StaleWriteException">It was changed or deleted since.</exception>
    Task UpdateDeliveryAsync(Versioned<WebhookDelivery> current, WebhookDelivery changed, CancellationToken cancellation = default);

    /// <summary>A page of a webhook's deliveries.</summary>
    Task<Page<WebhookDelivery>> ListDeliveriesAsync(
        string accountId, string webhookId, PageRequest page, WebhookDeliveryStatus? status = null, CancellationToken cancellation = default);

    /// <summary>Deletes a delivery; false when there was none.</summary>
    Task<bool> DeleteDeliveryAsync(string accountId, string webhookId, string deliveryId, CancellationToken cancellation = default);
}
