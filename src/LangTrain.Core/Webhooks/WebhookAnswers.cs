using System.Text.Json;
using LangTrain.Contracts.Webhooks;

namespace LangTrain.Core.Webhooks;

/// <summary>Webhooks and deliveries as they are shown.</summary>
public static class WebhookAnswers
{
    /// <summary>A webhook; with its secret only where that was just made.</summary>
    public static WebhookAnswer ToAnswer(this Webhook webhook, string? secret = null)
    {
        ArgumentNullException.ThrowIfNull(webhook);
        return new()
        {
            Id = webhook.Id,
            Url = webhook.Url,
            Description = webhook.Description,
            Events = webhook.Events,
            Enabled = webhook.IsEnabled,
            DisabledReason = webhook.DisabledReason,
            ConsecutiveFailures = webhook.ConsecutiveFailures,
            Secret = secret,
            SecretVersion = webhook.SecretVersion,
            PreviousSecretUntil = webhook.PreviousSecretUntil,
            CreatedAt = webhook.CreatedAt,
        };
    }

    /// <summary>A delivery.</summary>
    public static WebhookDeliveryAnswer ToAnswer(this WebhookDelivery delivery)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        return new()
        {
            Id = delivery.Id,
            WebhookId = delivery.WebhookId,
            Type = delivery.EventType,
            Status = delivery.Status.ToString().ToLowerInvariant(),
            Attempts = delivery.Attempts,
            NextAttemptAt = delivery.NextAttemptAt,
            LastStatusCode = delivery.LastStatusCode,
            LastProblem = delivery.LastProblem,
            Payload = JsonElement.Parse(delivery.Payload),
            CreatedAt = delivery.CreatedAt,
            EndedAt = delivery.EndedAt,
        };
    }
}
