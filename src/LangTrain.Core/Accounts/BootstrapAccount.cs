using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Accounts;

/// <summary>Makes or opens the first account, so that somebody can make the first request, and be the first operator.</summary>
public sealed class BootstrapAccount(IAccountStore accounts, ApiKeys keys, TimeProvider time)
{
    /// <summary>Id of the first account. Fixed, so that two hosts that start at once make one account.</summary>
    public const string AccountId = "user-first";

    /// <summary>Makes sure that the account and the key are there.</summary>
    /// <param name="secret">The key; at least 8 characters.</param>
    /// <param name="tier"><c>free</c>, <c>pro</c> or <c>enterprise</c>; an account that is there already is moved to it.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The account.</returns>
    /// <exception cref="ArgumentException">The key or the tier is none, or the key belongs to another account or was revoked.</exception>
    public async Task<Account> ExecuteAsync(string secret, string tier, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(secret);
        if (secret.Length is < 8 or > ApiKeySecret.MaxLength || secret.Any(c => c is <= ' ' or > '~'))
        {
            throw new ArgumentException($"A key has 8 to {ApiKeySecret.MaxLength} visible ASCII characters.", nameof(secret));
        }

        if (!Tiers.All.Contains(tier))
        {
            throw new ArgumentException($"A tier is one of {string.Join(", ", Tiers.All)}, not '{ApiErrors.Shorten(tier)}'.", nameof(tier));
        }

        var account = await accounts.FindAsync(AccountId, cancellation);
        if (account is null || account.Tier != tier || !account.IsOperator || account.IsSuspended)
        {
            // Whoever sets the bootstrap key runs the installation: this account can always let itself in again.
            account = (account ?? new Account(AccountId, "First user", null, tier, time.GetUtcNow())) with { Tier = tier, IsOperator = true, IsSuspended = false };
            await accounts.UpsertAsync(account, cancellation);
        }

        var hash = ApiKeySecret.Hash(secret);
        if (await accounts.FindKeyAsync(hash, cancellation) is null)
        {
            try
            {
                await keys.CreateAsync(AccountId, "first key", Scopes.All, null, secret, null, cancellation);
            }
            catch (AlreadyExistsException)
            {
                // Another host that starts at the same time made it.
            }
        }

        var row = await accounts.FindKeyAsync(hash, cancellation);
        return row is { Value: { AccountId: AccountId, RevokedAt: null } }
            ? account
            : throw new ArgumentException("The bootstrap key was revoked or belongs to another account.", nameof(secret));
    }
}
