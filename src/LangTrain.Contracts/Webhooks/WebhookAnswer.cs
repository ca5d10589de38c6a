namespace LangTrain.Contracts.Webhooks;

/// <summary>A webhook as it is shown.</summary>
public sealed record WebhookAnswer
{
    /// <summary><c>wh-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>webhook</c>.</summary>
    public string Object { get; init; } = "webhook";

    /// <summary>Where events are sent.</summary>
    public required string Url { get; init; }

    /// <summary>The owner's own words.</summary>
    public string? Description { get; init; }

    /// <summary>Events that are sent.</summary>
    public required IReadOnlyList<string> Events { get; init; }

    /// <summary>Whether events are sent at all.</summary>
    public bool Enabled { get; init; }

    /// <summary>Why they are not, where the service switched it off.</summary>
    public string? DisabledReason { get; init; }

    /// <summary>Failed attempts since the last event that arrived.</summary>
    public int ConsecutiveFailures { get; init; }

    /// <summary>The signing secret, <c>whsec_…</c>: in the answer that made it, and never again.</summary>
    public string? Secret { get; init; }

    /// <summary>Which secret signs, from 1; rises with each rotation.</summary>
    public int SecretVersion { get; init; }

    /// <summary>Until when the secret before it signs as well, UTC.</summary>
    public DateTimeOffset? PreviousSecretUntil { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
