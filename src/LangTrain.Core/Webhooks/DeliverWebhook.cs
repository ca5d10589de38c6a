using LangTrain.Contracts.Webhooks;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Webhooks;

/// <summary>Makes one attempt to deliver an event, and asks for the next where it failed. Thread-safe.</summary>
/// <remarks>
/// The event arrives at least once: a death between the call and the row repeats the call, with the same <c>webhook-id</c>. The next attempt's message
/// is sent before the row is written. So a message that is behind the row may be dropped (its successor exists), and messages that came
/// twice end with the first of them that is behind.
/// </remarks>
public sealed class DeliverWebhook(IWebhookStore store, IWorkQueue<DeliverWebhookWorkItem> queue, WebhookCall call, TimeProvider time)
{
    private const int Tries = 8;

    /// <summary>Makes the attempt that a message asks for.</summary>
    public async Task ExecuteAsync(DeliverWebhookWorkItem item, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (await store.FindDeliveryAsync(item.AccountId, item.WebhookId, item.DeliveryId, cancellation) is not { } row
            || row.Value.Status != WebhookDeliveryStatus.Pending || row.Value.Attempts > item.Attempt)
        {
            return;
        }

        var webhook = (await store.FindAsync(item.AccountId, item.WebhookId, cancellation))?.Value;
        if (webhook is null)
        {
            await store.DeleteDeliveryAsync(item.AccountId, item.WebhookId, item.DeliveryId, cancellation);
            return;
        }

        var now = time.GetUtcNow();
        if (!webhook.IsEnabled)
        {
            await SaveAsync(row, row.Value with
            {
                Status = WebhookDeliveryStatus.Failed, LastProblem = "The webhook is switched off.", NextAttemptAt = null, EndedAt = now,
            }, cancellation);
            return;
        }

        var outcome = await call.ExecuteAsync(webhook, row.Value, cancellation);
        await (outcome.IsDelivered ? EndAsync(row, webhook, outcome, cancellation) : FailAsync(row, webhook, outcome, cancellation));
    }

    private async Task EndAsync(Versioned<WebhookDelivery> row, Webhook webhook, WebhookOutcome outcome, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        await SaveAsync(row, row.Value with
        {
            Status = WebhookDeliveryStatus.Delivered,
            Attempts = row.Value.Attempts + 1,
            NextAttemptAt = null,
            LastStatusCode = outcome.StatusCode,
            LastProblem = null,
            EndedAt = now,
        }, cancellation);
        if (webhook.ConsecutiveFailures > 0)
        {
            await ChangeAsync(webhook, current => current with { ConsecutiveFailures = 0 }, cancellation);
        }
    }

    private async Task FailAsync(Versioned<WebhookDelivery> row, Webhook webhook, WebhookOutcome outcome, CancellationToken cancellation)
    {
        var attempts = row.Value.Attempts + 1;
        var pause = outcome.IsForGood ? null : WebhookRetries.After(attempts, outcome.RetryAfter, Random.Shared.NextDouble());
        if (pause is { } wait)
        {
            await queue.SendAsync(new DeliverWebhookWorkItem(row.Value.AccountId, row.Value.WebhookId, row.Value.Id, attempts), wait, cancellation);
        }

        var now = time.GetUtcNow();
        await SaveAsync(row, row.Value with
        {
            Status = pause is null ? WebhookDeliveryStatus.Failed : WebhookDeliveryStatus.Pending,
            Attempts = attempts,
            NextAttemptAt = now + pause,
            LastStatusCode = outcome.StatusCode,
            LastProblem = outcome.Problem,
            EndedAt = pause is null ? now : null,
        }, cancellation);
        await ChangeAsync(webhook, current => SwitchOff(current, outcome, pause is null, attempts), cancellation);
    }

    private static Webhook SwitchOff(Webhook webhook, WebhookOutcome outcome, bool isGivenUp, int attempts)
    {
        var failures = webhook.ConsecutiveFailures + 1;
        var reason = outcome.StatusCode == 410 ? "The receiver answered 410 (gone)."
            : failures >= WebhookRetries.MostConsecutiveFailures ? $"{failures} attempts in a row failed. The last: {outcome.Problem}"
            : isGivenUp ? $"An event could not be delivered in {attempts} attempts. The last: {outcome.Problem}"
            : null;
        return reason is null || !webhook.IsEnabled
            ? webhook with { ConsecutiveFailures = failures }
            : webhook with { ConsecutiveFailures = failures, IsEnabled = false, DisabledReason = reason };
    }

    private async Task SaveAsync(Versioned<WebhookDelivery> row, WebhookDelivery changed, CancellationToken cancellation)
    {
        try
        {
            await store.UpdateDeliveryAsync(row, changed, cancellation);
        }
        catch (StaleWriteException)
        {
            // The same message ran twice at once; the other one's writing counts.
        }
    }

    private async Task ChangeAsync(Webhook webhook, Func<Webhook, Webhook> change, CancellationToken cancellation)
    {
        for (var attempt = 1; await store.FindAsync(webhook.AccountId, webhook.Id, cancellation) is { } row; attempt++)
        {
            try
            {
                await store.UpdateAsync(row, change(row.Value), cancellation);
                return;
            }
            catch (StaleWriteException) when (attempt < Tries)
            {
                // Another delivery of this webhook was counted meanwhile.
            }
        }
    }
}
