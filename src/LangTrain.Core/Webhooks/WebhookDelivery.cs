using System.Text.Json.Serialization;

namespace LangTrain.Core.Webhooks;

/// <summary>An event for one webhook: what is sent, and how far that is. Immutable.</summary>
public sealed record WebhookDelivery
{
    /// <summary><c>msg-…</c>: the event's <c>webhook-id</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Owner.</summary>
    public required string AccountId { get; init; }

    /// <summary>The webhook.</summary>
    public required string WebhookId { get; init; }

    /// <summary>The event.</summary>
    public required string EventType { get; init; }

    /// <summary>The body, byte for byte the same in every attempt.</summary>
    public required string Payload { get; init; }

    /// <summary>How far it is.</summary>
    public WebhookDeliveryStatus Status { get; init; }

    /// <summary>Attempts made.</summary>
    public int Attempts { get; init; }

    /// <summary>When the next is due, UTC; null when there is none.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>HTTP status of the last attempt, or null.</summary>
    public int? LastStatusCode { get; init; }

    /// <summary>What was wrong with the last attempt, or null.</summary>
    public string? LastProblem { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was delivered or given up, UTC.</summary>
    public DateTimeOffset? EndedAt { get; init; }
}

/// <summary>How far a delivery is.</summary>
public enum WebhookDeliveryStatus
{
    /// <summary>Waits for its next attempt.</summary>
    [JsonStringEnumMemberName("pending")] Pending,

    /// <summary>The other side took it.</summary>
    [JsonStringEnumMemberName("delivered")] Delivered,

    /// <summary>Given up.</summary>
    [JsonStringEnumMemberName("failed")] Failed,
}
