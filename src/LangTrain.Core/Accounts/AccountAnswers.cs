using LangTrain.Contracts.Accounts;
using LangTrain.Core.Limits;

namespace LangTrain.Core.Accounts;

/// <summary>Accounts, keys and limits as they are shown.</summary>
public static class AccountAnswers
{
    /// <summary>A key; with its secret only where it was just made.</summary>
    public static ApiKeyAnswer ToAnswer(this ApiKey key, string? secret = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new()
        {
            Id = key.Id,
            Name = key.Name,
            Key = secret,
            Prefix = key.Prefix + "…",
            Scopes = key.Scopes,
            CreatedAt = key.CreatedAt,
            ExpiresAt = key.ExpiresAt,
            RevokedAt = key.RevokedAt,
            LastUsedAt = key.LastUsedAt,
        };
    }

    /// <summary>The caller.</summary>
    public static ProfileAnswer ToProfile(this Caller caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var limits = Tiers.LimitsOf(caller.Account);
        return new()
        {
            Id = caller.AccountId,
            Name = caller.Account.Name,
            Email = caller.Account.Email,
            Tier = caller.Account.Tier,
            CreatedAt = caller.Account.CreatedAt,
            ApiKey = caller.Key.ToAnswer(),
            RateLimits = new RateLimitsAnswer(limits.RequestsPerMinute, limits.RequestsPerDay),
        };
    }

    /// <summary>An account, for an operator; with its first key only where it was just made.</summary>
    public static AccountAnswer ToAnswer(this Account account, NewApiKey? key = null)
    {
        ArgumentNullException.ThrowIfNull(account);
        var limits = Tiers.LimitsOf(account);
        return new()
        {
            Id = account.Id,
            Name = account.Name,
            Email = account.Email,
            Tier = account.Tier,
            RateLimits = new RateLimitsAnswer(limits.RequestsPerMinute, limits.RequestsPerDay),
            Operator = account.IsOperator,
            Suspended = account.IsSuspended,
            CreatedAt = account.CreatedAt,
            ApiKey = key?.Key.ToAnswer(key.Secret),
        };
    }

    /// <summary>How an account stands with its limits.</summary>
    public static LimitsAnswer ToAnswer(this LimitState state, string tier, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        return new(tier,
        [
            new LimitWindowAnswer("minute", state.Limits.RequestsPerMinute, state.MinuteRemaining, now + state.MinuteReset),
            new LimitWindowAnswer("day", state.Limits.RequestsPerDay, state.DayRemaining, now + state.DayReset),
        ]);
    }
}
