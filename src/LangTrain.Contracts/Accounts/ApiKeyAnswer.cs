namespace LangTrain.Contracts.Accounts;

/// <summary>An API key as it is shown.</summary>
public sealed record ApiKeyAnswer
{
    /// <summary><c>key-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>api_key</c>.</summary>
    public string Object { get; init; } = "api_key";

    /// <summary>Name that its owner gave.</summary>
    public required string Name { get; init; }

    /// <summary>The key itself: in the one answer that made it, and never again.</summary>
    public string? Key { get; init; }

    /// <summary>Its beginning, for telling keys apart.</summary>
    public required string Prefix { get; init; }

    /// <summary>Of <c>read</c>, <c>train</c>, <c>infer</c>, <c>admin</c>.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>UTC; absent when it never expires.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it will stop because it was rotated, UTC.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>UTC, to within some minutes; absent when it never was.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }
}
