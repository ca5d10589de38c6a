namespace LangTrain.Core.Accounts;

/// <summary>What an account may do a minute and a day.</summary>
/// <param name="RequestsPerMinute">Requests in one UTC minute.</param>
/// <param name="RequestsPerDay">Requests in one UTC day.</param>
public sealed record RequestLimits(long RequestsPerMinute, long RequestsPerDay);

/// <summary>The tiers and their limits.</summary>
public static class Tiers
{
    /// <summary>60 requests a minute, 1,000 a day.</summary>
    public const string Free = "free";

    /// <summary>600 requests a minute, 50,000 a day.</summary>
    public const string Pro = "pro";

    /// <summary>As agreed with the account.</summary>
    public const string Enterprise = "enterprise";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Free, Pro, Enterprise];

    /// <summary>Limits of an account: its own where it has any, else its tier's.</summary>
    public static RequestLimits LimitsOf(Account account)
    {
        ArgumentNullException.ThrowIfNull(account);
        var tier = account.Tier switch
        {
            Enterprise => new RequestLimits(10_000_000, 1_000_000_000), // until something is agreed: what no machine reaches
            Pro => new RequestLimits(600, 50_000),
            _ => new RequestLimits(60, 1_000),
        };
        return new RequestLimits(account.RequestsPerMinute ?? tier.RequestsPerMinute, account.RequestsPerDay ?? tier.RequestsPerDay);
    }
}
