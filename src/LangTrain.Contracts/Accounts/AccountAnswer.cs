namespace LangTrain.Contracts.Accounts;

/// <summary>An account as an operator of the installation sees it: nothing of what it trains or asks.</summary>
public sealed record AccountAnswer
{
    /// <summary><c>user-…</c></summary>
    public required string Id { get; init; }

    /// <summary>Always <c>account</c>.</summary>
    public string Object { get; init; } = "account";

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Address, where one is known.</summary>
    public string? Email { get; init; }

    /// <summary><c>free</c>, <c>pro</c> or <c>enterprise</c>.</summary>
    public required string Tier { get; init; }

    /// <summary>Its limits, as they hold.</summary>
    public required RateLimitsAnswer RateLimits { get; init; }

    /// <summary>Whether it may make and change other accounts.</summary>
    public bool Operator { get; init; }

    /// <summary>Whether its keys are refused.</summary>
    public bool Suspended { get; init; }

    /// <summary>UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Its first key: in the one answer that made the account, and never again.</summary>
    public ApiKeyAnswer? ApiKey { get; init; }
}

/// <summary>A link that signs a browser in to the dashboard once.</summary>
/// <param name="Url">The link; what makes it work stands behind the <c>#</c>.</param>
/// <param name="ExpiresAt">When it stops working unused, UTC.</param>
public sealed record SignInLinkAnswer(string Url, DateTimeOffset ExpiresAt)
{
    /// <summary>Always <c>sign_in_link</c>.</summary>
    public string Object { get; init; } = "sign_in_link";
}

/// <summary>Answer of <c>GET /dashboard-sessions</c>.</summary>
/// <param name="Ways">Of <c>ticket</c> (a sign-in link), <c>api_key</c>, <c>entra</c> (Entra ID, at <c>/.auth/login/aad</c>).</param>
public sealed record SignInWaysAnswer(IReadOnlyList<string> Ways)
{
    /// <summary>Always <c>sign_in_ways</c>.</summary>
    public string Object { get; init; } = "sign_in_ways";
}
