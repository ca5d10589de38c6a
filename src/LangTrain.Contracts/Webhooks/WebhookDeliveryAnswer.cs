using System.Text.Json;

namespace LangTrain.Contracts.Webhooks;

/// <summary>An event that was, or is to be, sent to a webhook.</summary>
public sealed record WebhookDeliveryAnswer
{
    /// <summary><c>msg-…</c>: the event's <c>webhook-id</c>, the same in every attempt.</summary>
    public required string Id { get; init; }

    /// <summary>Always <c>webhook_delivery</c>.</summary>
    public string Object { get; init; } = "webhook_delivery";

    /// <summary>The webhook.</summary>
    public required string WebhookId { get; init; }

    /// <summary>The event, such as <c>fine_tune.completed</c>.</summary>
    public required string Type { get; init; }

    /// <summary><c>pending</c>, <c>delivered</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Attempts so far.</summary>
    public int Attempts { get; init; }

    /// <summary>When the next attempt is due, UTC; absent when there is none.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>HTTP status of the last attempt; absent where no answer came.</summary>
    public int? LastStatusCode { get; init; }

    /// <summary>What was wrong with the last attempt.</summary>
    public string? LastProblem { get; init; }

    /// <summary>The body that is sent.</summary>
    public JsonElement Payload { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was delivered or given up, UTC.</summary>
    public DateTimeOffset? EndedAt { get; init; }
}
