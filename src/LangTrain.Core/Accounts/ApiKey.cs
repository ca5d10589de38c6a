using System.Text.Json.Serialization;

namespace LangTrain.Core.Accounts;

/// <summary>An API key as its row holds it: never the key itself. Immutable.</summary>
public sealed record ApiKey
{
    /// <summary><c>key-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Owner.</summary>
    public required string AccountId { get; init; }

    /// <summary>SHA-256 of the key, lower-case hex; the row is found by it.</summary>
    public required string Sha256 { get; init; }

    /// <summary>First characters, for display (<c>lt-a1b2…</c>).</summary>
    public required string Prefix { get; init; }

    /// <summary>Name the owner gave.</summary>
    public required string Name { get; init; }

    /// <summary>Of <c>read</c>, <c>train</c>, <c>infer</c>, <c>admin</c>.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>UTC; null is never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>UTC; null while it is good.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>UTC, to within some minutes; null when it never was.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>The first moment at which it counts no more, UTC; null while none is known.</summary>
    [JsonIgnore]
    public DateTimeOffset? EndsAt => RevokedAt is { } revoked && !(ExpiresAt < revoked) ? revoked : ExpiresAt;
}
