using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Accounts;

/// <summary>Signs a browser in by a link that works once: a ticket in the link is turned into a key of its own for some hours.</summary>
/// <remarks>
/// A ticket is stored as a key with no scopes, so it opens nothing by itself. It stands behind the <c>#</c> of the link, which browsers do not send.
/// </remarks>
public sealed class DashboardSignIn(IAccountStore accounts, ApiKeys keys, TimeProvider time)
{
    private const string TicketPrefix = "tkt";
    private const string SessionName = "dashboard session";

    private static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    /// <summary>How long a link works.</summary>
    public static readonly TimeSpan TicketLifetime = TimeSpan.FromHours(1);

    /// <summary>How long a browser stays signed in.</summary>
    public static readonly TimeSpan SessionLifetime = TimeSpan.FromHours(12);

    /// <summary>Makes a ticket; the link is <c>{base}/dashboard#ticket={ticket}</c>.</summary>
    public async Task<string> CreateTicketAsync(string accountId, CancellationToken cancellation = default)
    {
        var secret = "tkt-" + ApiKeySecret.New()[3..];
        await accounts.CreateKeyAsync(new ApiKey
        {
            Id = Ids.New(TicketPrefix, time),
            AccountId = accountId,
            Sha256 = ApiKeySecret.Hash(secret),
            Prefix = TicketPrefix,
            Name = "sign-in link",
            Scopes = [],
            CreatedAt = time.GetUtcNow(),
            ExpiresAt = time.GetUtcNow() + TicketLifetime,
        }, cancellation);
        return secret;
    }

    /// <summary>Turns a ticket into a key. Of two who try at once, one succeeds.</summary>
    /// <exception cref="ApiException">401: no such ticket, used, or too old.</exception>
    public async Task<NewApiKey> RedeemAsync(string ticket, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        var now = time.GetUtcNow();
        var row = ticket.Length <= ApiKeySecret.MaxLength ? await accounts.FindKeyAsync(ApiKeySecret.Hash(ticket), cancellation) : null;
        if (row is null || !IsTicket(row.Value) || row.Value.RevokedAt is not null || row.Value.ExpiresAt <= now)
        {
            throw Spent();
        }

        try
        {
            await accounts.UpdateKeyAsync(row, row.Value with { RevokedAt = now, LastUsedAt = now }, cancellation);
        }
        catch (StaleWriteException)
        {
            throw Spent();
        }

        return await BeginSessionAsync(row.Value.AccountId, cancellation);
    }

    /// <summary>Makes a browser's key for an account whose person has proved to be that.</summary>
    internal async Task<NewApiKey> BeginSessionAsync(string accountId, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        // Tickets and sessions come with every sign-in; those of long ago go then, so that the list of an account's keys stays short.
        await foreach (var key in accounts.ListKeysAsync(accountId, cancellation))
        {
            if ((IsTicket(key.Value) || key.Value.Name == SessionName) && key.Value.ExpiresAt < now - Kept)
            {
                await accounts.DeleteKeyAsync(key.Value, cancellation);
            }
        }

        return await keys.CreateAsync(accountId, SessionName, Scopes.All, now + SessionLifetime, null, null, cancellation);
    }

    /// <summary>Whether a row is a ticket and no key.</summary>
    internal static bool IsTicket(ApiKey key) => key.Id.StartsWith(TicketPrefix + "-", StringComparison.Ordinal);

    private static ApiException Spent() => ApiErrors.Unauthorized("invalid_ticket", "This sign-in link was used already or is too old. Ask for a new one.");
}
