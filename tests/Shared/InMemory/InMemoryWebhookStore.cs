using System.Globalization;
using System.Runtime.CompilerServices;
using LangTrain.Core.Storage;
using LangTrain.Core.Webhooks;

namespace LangTrain.Testing;

/// <summary>Webhooks and deliveries in memory; passes the same contract tests as the table store. Thread-safe.</summary>
public sealed class InMemoryWebhookStore : IWebhookStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string, string), Versioned<Webhook>> _webhooks = [];
    private readonly Dictionary<(string, string, string), Versioned<WebhookDelivery>> _deliveries = [];
    private int _version;

    public Task CreateAsync(Webhook webhook, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return _webhooks.TryAdd((webhook.AccountId, webhook.Id), Next(webhook)) ? Task.CompletedTask : throw new AlreadyExistsException($"Webhook {webhook.Id}");
        }
    }

    public Task<Versioned<Webhook>?> FindAsync(string accountId, string webhookId, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return Task.FromResult(_webhooks.GetValueOrDefault((accountId, webhookId)));
        }
    }

    public Task<Versioned<Webhook>> UpdateAsync(Versioned<Webhook> current, Webhook changed, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return _webhooks.TryGetValue((changed.AccountId, changed.Id), out var stored) && stored.ETag == current.ETag
                ? Task.FromResult(_webhooks[(changed.AccountId, changed.Id)] = Next(changed))
                : throw new StaleWriteException($"Webhook {changed.Id}");
        }
    }

    public Task<bool> DeleteAsync(string accountId, string webhookId, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return Task.FromResult(_webhooks.Remove((accountId, webhookId)));
        }
    }

    public async IAsyncEnumerable<Webhook> ListAsync(string accountId, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        Webhook[] found;
        lock (_lock)
        {
            found = [.. _webhooks.Values.Select(row => row.Value).Where(one => one.AccountId == accountId).OrderBy(one => one.Id, StringComparer.Ordinal)];
        }

        foreach (var webhook in found)
        {
            yield return webhook;
        }

        await Task.CompletedTask;
    }

    public Task CreateDeliveryAsync(WebhookDelivery delivery, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return _deliveries.TryAdd(Key(delivery), Next(delivery)) ? Task.CompletedTask : throw new AlreadyExistsException($"Delivery {delivery.Id}");
        }
    }

    public Task<Versioned<WebhookDelivery>?> FindDeliveryAsync(string accountId, string webhookId, string deliveryId, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return Task.FromResult(_deliveries.GetValueOrDefault((accountId, webhookId, deliveryId)));
        }
    }

    public Task UpdateDeliveryAsync(Versioned<WebhookDelivery> current, WebhookDelivery changed, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            if (!_deliveries.TryGetValue(Key(changed), out var stored) || stored.ETag != current.ETag)
            {
                throw new StaleWriteException($"Delivery {changed.Id}");
            }

            _deliveries[Key(changed)] = Next(changed);
            return Task.CompletedTask;
        }
    }

    public Task<Page<WebhookDelivery>> ListDeliveriesAsync(
        string accountId, string webhookId, PageRequest page, WebhookDeliveryStatus? status = null, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            var mine = _deliveries.Values.Select(row => row.Value)
                .Where(one => one.AccountId == accountId && one.WebhookId == webhookId && (status is null || one.Status == status));
            return Task.FromResult(InMemoryPages.Take(mine, one => one.Id, page));
        }
    }

    public Task<bool> DeleteDeliveryAsync(string accountId, string webhookId, string deliveryId, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return Task.FromResult(_deliveries.Remove((accountId, webhookId, deliveryId)));
        }
    }

    private static (string, string, string) Key(WebhookDelivery one) => (one.AccountId, one.WebhookId, one.Id);

    private Versioned<T> Next<T>(T value) => new(value, (++_version).ToString(CultureInfo.InvariantCulture));
}
