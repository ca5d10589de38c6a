namespace LangTrain.Core.Webhooks;

/// <summary>An address to which an account wants its events sent. Immutable; its secret is derived and stands in no row.</summary>
public sealed record Webhook
{
    /// <summary><c>wh-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Owner.</summary>
    public required string AccountId { get; init; }

    /// <summary>http(s) address.</summary>
    public required string Url { get; init; }

    /// <summary>The owner's own words, or null.</summary>
    public string? Description { get; init; }

    /// <summary>Of <see cref="WebhookEvents.All"/>.</summary>
    public required IReadOnlyList<string> Events { get; init; }

    /// <summary>Whether events are sent.</summary>
    public bool IsEnabled { get; init; } = true;

    /// <summary>Why the service switched it off, or null.</summary>
    public string? DisabledReason { get; init; }

    /// <summary>Failed attempts, over all deliveries, since the last that arrived.</summary>
    public int ConsecutiveFailures { get; init; }

    /// <summary>Which secret signs, from 1.</summary>
    public int SecretVersion { get; init; } = 1;

    /// <summary>Until when the secret before it signs as well, UTC; null where there is none.</summary>
    public DateTimeOffset? PreviousSecretUntil { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
