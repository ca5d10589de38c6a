using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Accounts;

/// <summary>Signs a browser in whose person Azure's built-in authentication knows: maps the person to an account, made at the first sign-in. Thread-safe.</summary>
/// <param name="accounts">Rows.</param>
/// <param name="signIn">Makes the browser's key.</param>
/// <param name="tenantId">The one directory whose people are let in; null where the app does not sit behind the feature: then nobody is.</param>
/// <param name="time">Clock.</param>
public sealed class EntraSignIn(IAccountStore accounts, DashboardSignIn signIn, string? tenantId, TimeProvider time)
{
    /// <summary>Whether this way of signing in is there at all.</summary>
    public bool IsAvailable => tenantId is not null;

    /// <summary>Makes a browser's key for the person of a header.</summary>
    /// <param name="header"><c>X-MS-CLIENT-PRINCIPAL</c>; not looked at where the feature is off.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">404 where the feature is off; 401 for nobody; 403 for a person of another directory, or a suspended account.</exception>
    public async Task<NewApiKey> ExecuteAsync(string header, CancellationToken cancellation = default)
    {
        if (tenantId is null)
        {
            throw ApiErrors.NotFound("sign_in", "entra");
        }

        var person = EntraPrincipal.FromRequest(header)
            ?? throw ApiErrors.Unauthorized("not_signed_in", "Nobody is signed in. Sign in at /.auth/login/aad first.");
        if (!person.TenantId.Equals(tenantId, StringComparison.OrdinalIgnoreCase))
        {
            throw ApiErrors.Forbidden("wrong_directory", "This installation lets in people of another directory only.");
        }

        var id = AccountIdOf(person);
        var account = await accounts.FindAsync(id, cancellation) ?? await CreateAsync(id, person, cancellation);
        return account.IsSuspended
            ? throw ApiErrors.Forbidden("account_suspended", "This account is suspended. Ask the operator of the service.")
            : await signIn.BeginSessionAsync(account.Id, cancellation);
    }

    /// <summary>The account's id: a function of the person, so that two sign-ins at once make one account.</summary>
    internal static string AccountIdOf(EntraPrincipal person) => Ids.Derived("user", DateTimeOffset.UnixEpoch, $"entra\n{person.TenantId}\n{person.ObjectId}");

    private async Task<Account> CreateAsync(string id, EntraPrincipal person, CancellationToken cancellation)
    {
        var account = new Account(id, Shorten(person.Name ?? person.Email ?? "Somebody", 100), person.Email is { } email ? Shorten(email, 254) : null, Tiers.Free, time.GetUtcNow());
        try
        {
            await accounts.CreateAsync(account, cancellation);
            return account;
        }
        catch (AlreadyExistsException)
        {
            return await accounts.FindAsync(id, cancellation) ?? account;
        }
    }

    private static string Shorten(string text, int length) => text.Length <= length ? text : text[..length];
}
