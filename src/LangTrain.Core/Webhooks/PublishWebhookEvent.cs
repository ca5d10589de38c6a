using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Contracts.Webhooks;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Webhooks;

/// <summary>Puts an event on its way to every webhook of an account that wants it. Thread-safe.</summary>
/// <remarks>
/// Run again for one event (its caller died half-way) it makes nothing twice: a delivery's id is made of the event and the webhook. The row
/// comes first and the message after it, and a row of which no attempt was made gets its message again.
/// </remarks>
public sealed class PublishWebhookEvent(IWebhookStore store, IWorkQueue<DeliverWebhookWorkItem> queue)
{
    // Old deliveries go as new ones come: two looked at for each new one, so that a webhook's history does not grow for ever.
    private const int LookedAt = 2;

    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>Publishes an event.</summary>
    /// <param name="accountId">Whose webhooks.</param>
    /// <param name="type">Of <see cref="WebhookEvents.All"/>.</param>
    /// <param name="at">When it happened; the same each time that the event is published.</param>
    /// <param name="subject">What it happened to; with the type it tells the event from all others.</param>
    /// <param name="data">What is told.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task ExecuteAsync(
        string accountId, string type, DateTimeOffset at, string subject, JsonElement data, CancellationToken cancellation = default)
    {
        await foreach (var webhook in store.ListAsync(accountId, cancellation))
        {
            if (webhook.IsEnabled && webhook.Events.Contains(type))
            {
                await SendAsync(webhook, type, at, subject, data, cancellation);
            }
        }
    }

    /// <summary>Puts an event on its way to one webhook, whatever it wants.</summary>
    /// <returns>The delivery.</returns>
    public async Task<WebhookDelivery> SendAsync(
        Webhook webhook, string type, DateTimeOffset at, string subject, JsonElement data, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(webhook);
        var delivery = new WebhookDelivery
        {
            Id = Ids.Derived("msg", at, $"{webhook.Id}\n{type}\n{subject}"),
            AccountId = webhook.AccountId,
            WebhookId = webhook.Id,
            EventType = type,
            Payload = JsonSerializer.Serialize(new WebhookPayload(type, at, data), ApiJson.Wire.WebhookPayload),
            NextAttemptAt = at,
            CreatedAt = at,
        };
        try
        {
            await store.CreateDeliveryAsync(delivery, cancellation);
        }
        catch (AlreadyExistsException)
        {
            var found = await store.FindDeliveryAsync(webhook.AccountId, webhook.Id, delivery.Id, cancellation);
            if (found is not { Value: { Attempts: 0, Status: WebhookDeliveryStatus.Pending } })
            {
                return found?.Value ?? delivery;
            }
        }

        await queue.SendAsync(new DeliverWebhookWorkItem(webhook.AccountId, webhook.Id, delivery.Id, 0), default, cancellation);
        await ForgetOldAsync(webhook, at - Kept, cancellation);
        return delivery;
    }

    private async Task ForgetOldAsync(Webhook webhook, DateTimeOffset before, CancellationToken cancellation)
    {
        var oldest = await store.ListDeliveriesAsync(webhook.AccountId, webhook.Id, new PageRequest(LookedAt, OldestFirst: true), null, cancellation);
        foreach (var delivery in oldest.Items.Where(one => one.CreatedAt < before))
        {
            await store.DeleteDeliveryAsync(webhook.AccountId, webhook.Id, delivery.Id, cancellation);
        }
    }
}
