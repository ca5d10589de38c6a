using LangTrain.Core.Errors;
using LangTrain.Core.Http;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Accounts;

/// <summary>An account that was just made, with its first key.</summary>
/// <param name="Account">The account.</param>
/// <param name="Key">The key, whose secret is told once.</param>
public sealed record NewAccount(Account Account, NewApiKey Key);

/// <summary>The accounts of this installation, for its operators. Thread-safe.</summary>
/// <remarks>
/// An operator is an account like any other that may also make accounts, set their tier and limits, and suspend them. It gets no key of
/// theirs (but the first one, to hand over) and sees nothing that they own. The bootstrap account is one; it can make others.
/// </remarks>
public sealed class AccountDirectory(IAccountStore accounts, ApiKeys keys, DashboardSignIn signIn, TimeProvider time)
{
    private const int HighestLimit = 1_000_000_000;

    /// <summary>Makes an account with a first key: <c>name</c>, <c>email</c>, <c>tier</c> (<c>free</c>), own limits, <c>operator</c> (false).</summary>
    /// <param name="caller">An operator.</param>
    /// <param name="request">The body.</param>
    /// <param name="seed">Last part of the account's and the key's id, the same for every try of one request.</param>
    /// <param name="secret">The key, or null for a random one.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">400; 403.</exception>
    public async Task<NewAccount> CreateAsync(Caller caller, RequestObject request, string seed, string? secret, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequireOperator(caller);
        var none = new Account("user-" + seed, "", null, Tiers.Free, time.GetUtcNow());
        var wanted = Read(request, none with { Name = request.RequireText("name", 100) });
        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        try
        {
            await accounts.CreateAsync(wanted, cancellation);
        }
        catch (AlreadyExistsException)
        {
            // An earlier try of this request got as far as here.
        }

        return new NewAccount(wanted, await keys.CreateAsync(wanted.Id, "first key", Scopes.All, null, secret, seed, cancellation));
    }

    /// <summary>A page of all accounts, by id.</summary>
    /// <exception cref="ApiException">403.</exception>
    public Task<Page<Account>> ListAsync(Caller caller, int limit, string? after, CancellationToken cancellation = default)
    {
        RequireOperator(caller);
        return accounts.ListAsync(limit, after, cancellation);
    }

    /// <summary>One account.</summary>
    /// <exception cref="ApiException">404, also for whoever is no operator: nobody else's account is there for them.</exception>
    public async Task<Account> GetAsync(Caller caller, string accountId, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        caller.Require(Scopes.Admin);
        var account = caller.Account.IsOperator ? await accounts.FindAsync(accountId, cancellation) : null;
        return account ?? throw ApiErrors.NotFound("account", accountId);
    }

    /// <summary>Changes what the body names: <c>name</c>, <c>email</c>, <c>tier</c>, own limits, <c>operator</c>, <c>suspended</c>.</summary>
    /// <exception cref="ApiException">400; 404; 409 for an operator who would lock itself out.</exception>
    public async Task<Account> ChangeAsync(Caller caller, string accountId, RequestObject request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var account = await GetAsync(caller, accountId, cancellation);
        var wanted = Read(request, account with
        {
            Name = request.Text("name", 100, 1) ?? account.Name,
            IsSuspended = request.Flag("suspended") ?? account.IsSuspended,
        });
        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        if (accountId == caller.AccountId && (wanted.IsSuspended || !wanted.IsOperator))
        {
            throw ApiErrors.Conflict("own_account", "An operator cannot suspend itself or give up being one; another operator can.");
        }

        await accounts.UpsertAsync(wanted, cancellation);
        if (wanted.IsSuspended)
        {
            await keys.DisconnectAllAsync(accountId, cancellation);
        }

        return wanted;
    }

    /// <summary>Makes a link by which a person signs in to the dashboard of an account, once.</summary>
    /// <returns>The ticket, and when it ends.</returns>
    /// <exception cref="ApiException">404.</exception>
    public async Task<(string Ticket, DateTimeOffset ExpiresAt)> InviteAsync(Caller caller, string accountId, CancellationToken cancellation = default)
    {
        var account = await GetAsync(caller, accountId, cancellation);
        return (await signIn.CreateTicketAsync(account.Id, cancellation), time.GetUtcNow() + DashboardSignIn.TicketLifetime);
    }

    // A limit of null goes back to the tier's; one that the body does not name stays.
    private static Account Read(RequestObject request, Account account) => account with
    {
        Email = request.Text("email", 254, 3) ?? account.Email,
        Tier = request.OneOf("tier", Tiers.All) ?? account.Tier,
        IsOperator = request.Flag("operator") ?? account.IsOperator,
        RequestsPerMinute = Limit(request, "requests_per_minute", account.RequestsPerMinute),
        RequestsPerDay = Limit(request, "requests_per_day", account.RequestsPerDay),
    };

    private static int? Limit(RequestObject request, string key, int? before) =>
        request.Int32(key, 1, HighestLimit) ?? (request.Element.TryGetProperty(key, out _) ? null : before);

    private static void RequireOperator(Caller caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        caller.Require(Scopes.Admin);
        if (!caller.Account.IsOperator)
        {
            throw ApiErrors.Forbidden("operator_required", "Only an operator of this installation may see and make accounts.");
        }
    }
}
