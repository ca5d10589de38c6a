namespace LangTrain.Contracts.Accounts;

/// <summary>Answer of <c>GET /user/profile</c>.</summary>
public sealed record ProfileAnswer
{
    /// <summary><c>user-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>user</c>.</summary>
    public string Object { get; init; } = "user";

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Address, where one is known.</summary>
    public string? Email { get; init; }

    /// <summary><c>free</c>, <c>pro</c> or <c>enterprise</c>.</summary>
    public required string Tier { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The key that asked.</summary>
    public required ApiKeyAnswer ApiKey { get; init; }

    /// <summary>The account's limits.</summary>
    public required RateLimitsAnswer RateLimits { get; init; }
}

/// <summary>An account's limits.</summary>
/// <param name="RequestsPerMinute">In one UTC minute.</param>
/// <param name="RequestsPerDay">In one UTC day.</param>
public sealed record RateLimitsAnswer(long RequestsPerMinute, long RequestsPerDay);
