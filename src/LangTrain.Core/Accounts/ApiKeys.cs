using LangTrain.Core.Errors;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Http;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Accounts;

/// <summary>A key that was just made, with its secret, which is told once.</summary>
/// <param name="Key">The row.</param>
/// <param name="Secret">The key itself.</param>
public sealed record NewApiKey(ApiKey Key, string Secret);

/// <summary>Makes, lists, rotates and revokes the keys of an account. Thread-safe.</summary>
public sealed class ApiKeys(IAccountStore accounts, IJobRelay relay, KeyEnds ends, TimeProvider time)
{
    private const int MostKeys = 100;
    private const int Attempts = 5;

    /// <summary>Makes a key as a request asks: <c>name</c>, <c>scopes</c>, <c>expires_in_days</c> or <c>expires_at</c>.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="request">The body.</param>
    /// <param name="seed">Last part of the key's id, the same for every try of one request.</param>
    /// <param name="secret">The key, or null for a random one.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">400; 403 when the caller's own key lacks a scope that the new one is to have; 409 when there are too many.</exception>
    public async Task<NewApiKey> CreateAsync(
        Caller caller, RequestObject request, string seed, string? secret, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(request);
        var now = time.GetUtcNow();
        var name = request.Text("name", 100, 1) ?? "API key";
        var scopes = request.Texts("scopes", Scopes.All.Count, minCount: 1) ?? Scopes.All;
        foreach (var scope in scopes.Where(scope => !Scopes.All.Contains(scope)))
        {
            request.Problems.Add("scopes", $"scopes may hold 'read', 'train', 'infer' and 'admin', not '{ApiErrors.Shorten(scope)}'.");
        }

        var expiresAt = ReadExpiry(request, now);
        request.RefuseUnknownKeys();
        request.Problems.ThrowIfAny();
        foreach (var scope in scopes)
        {
            caller.Require(scope);
        }

        if (await CountGoodAsync(caller.AccountId, now, cancellation) >= MostKeys)
        {
            throw ApiErrors.Conflict("too_many_api_keys", $"An account has at most {MostKeys} keys; revoke one first.");
        }

        return await CreateAsync(caller.AccountId, name, [.. scopes.Distinct()], expiresAt, secret, seed, cancellation);
    }

    /// <summary>The keys of an account that were not revoked and have not expired long ago, oldest first.</summary>
    public async Task<IReadOnlyList<ApiKey>> ListAsync(string accountId, CancellationToken cancellation = default)
    {
        var now = time.GetUtcNow();
        var keys = new List<ApiKey>();
        await foreach (var row in accounts.ListKeysAsync(accountId, cancellation))
        {
            var revoked = row.Value.RevokedAt <= now;
            var longGone = row.Value.ExpiresAt < now.AddDays(-1);
            if (!revoked && !longGone && !DashboardSignIn.IsTicket(row.Value))
            {
                keys.Add(row.Value);
            }
        }

        return [.. keys.OrderBy(key => key.Id, StringComparer.Ordinal)];
    }

    /// <summary>Whether a key may still be used, of an account that may; read anew.</summary>
    public async Task<bool> IsGoodAsync(string accountId, string keyId, CancellationToken cancellation = default)
    {
        var now = time.GetUtcNow();
        if (await accounts.FindAsync(accountId, cancellation) is not { IsSuspended: false })
        {
            return false;
        }

        return await accounts.FindKeyAsync(accountId, keyId, cancellation) is { Value: var key } && IsGood(key, now) && !DashboardSignIn.IsTicket(key);
    }

    /// <summary>Ends the open connections of all keys of an account that was suspended.</summary>
    public async Task DisconnectAllAsync(string accountId, CancellationToken cancellation = default)
    {
        await foreach (var row in accounts.ListKeysAsync(accountId, cancellation))
        {
            await relay.DisconnectKeyAsync(accountId, row.Value.Id, cancellation);
        }
    }

    /// <summary>Revokes a key; it stops within 5 seconds everywhere.</summary>
    /// <exception cref="ApiException">404.</exception>
    public Task RevokeAsync(string accountId, string keyId, CancellationToken cancellation = default) =>
        RevokeAtAsync(accountId, keyId, TimeSpan.Zero, cancellation);

    /// <summary>
    /// Makes a key like an old one and revokes the old one after <c>grace_seconds</c> (0 to 30 days, default 24 hours). The new one expires
    /// when the old one would have, or as <c>expires_in_days</c> or <c>expires_at</c> say.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="keyId">The old key.</param>
    /// <param name="request">The body, or null for none.</param>
    /// <param name="seed">Last part of the new key's id, the same for every try of one request.</param>
    /// <param name="secret">The new key, or null for a random one.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">400; 403; 404; 409 for a key that has expired and is given no new end.</exception>
    public async Task<NewApiKey> RotateAsync(
        Caller caller, string keyId, RequestObject? request, string seed, string? secret, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var grace = TimeSpan.FromSeconds(request?.Integer("grace_seconds", 0, 30 * 24 * 3600) ?? 24 * 3600);
        var expiresAt = request is null ? null : ReadExpiry(request, time.GetUtcNow());
        request?.RefuseUnknownKeys();
        request?.Problems.ThrowIfAny();
        if (secret is not null && await accounts.FindKeyAsync(ApiKeySecret.Hash(secret), cancellation) is { } done && done.Value.AccountId == caller.AccountId)
        {
            // An earlier try of this request made the key and may have died before it ended the old one.
            await RevokeIfThereAsync(caller.AccountId, keyId, grace, cancellation);
            return new NewApiKey(done.Value, secret);
        }

        var old = (await FindAsync(caller.AccountId, keyId, cancellation)).Value;
        foreach (var scope in old.Scopes)
        {
            caller.Require(scope);
        }

        expiresAt ??= old.ExpiresAt;
        if (expiresAt <= time.GetUtcNow())
        {
            throw ApiErrors.Conflict("api_key_expired", "The key has expired, and so would its successor. Say expires_in_days or expires_at.");
        }

        // First the new key, then the end of the old one: a crash in between leaves two keys, never none.
        var made = await CreateAsync(caller.AccountId, old.Name, old.Scopes, expiresAt, secret, seed, cancellation);
        await RevokeAtAsync(caller.AccountId, keyId, grace, cancellation);
        return made;
    }

    /// <summary>Writes a key. Done again with one seed and one secret, it finds the key that is there.</summary>
    internal async Task<NewApiKey> CreateAsync(
        string accountId, string name, IReadOnlyList<string> scopes, DateTimeOffset? expiresAt, string? secret, string? seed, CancellationToken cancellation)
    {
        var told = secret ?? ApiKeySecret.New();
        var key = new ApiKey
        {
            Id = seed is null ? Ids.New("key", time) : "key-" + seed,
            AccountId = accountId,
            Sha256 = ApiKeySecret.Hash(told),
            Prefix = ApiKeySecret.Display(told),
            Name = name,
            Scopes = scopes,
            CreatedAt = time.GetUtcNow(),
            ExpiresAt = expiresAt,
        };
        try
        {
            await accounts.CreateKeyAsync(key, cancellation);
        }
        catch (AlreadyExistsException) when (seed is not null && secret is not null)
        {
            // An earlier try of this request wrote it; a key of another account cannot have this secret.
        }

        if (expiresAt is { } end)
        {
            // Nobody has the key before this method returns.
            await ends.AnnounceAsync(accountId, key.Id, end, cancellation);
        }

        return new NewApiKey(key, told);
    }

    private static DateTimeOffset? ReadExpiry(RequestObject request, DateTimeOffset now)
    {
        var days = request.Integer("expires_in_days", 1, 3650);
        if (request.Text("expires_at", 64) is not { } text)
        {
            return days is { } count ? now.AddDays(count) : null;
        }

        if (days is not null)
        {
            request.Problems.Add("expires_at", "Give expires_at or expires_in_days, not both.");
        }
        else if (!RequestTime.TryParse(text, out var moment) || moment <= now)
        {
            request.Problems.Add("expires_at", "expires_at must be a moment in the future, such as 2030-01-31T00:00:00Z.");
        }
        else
        {
            return moment;
        }

        return null;
    }

    private async Task RevokeAtAsync(string accountId, string keyId, TimeSpan grace, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var row = await FindAsync(accountId, keyId, cancellation);
            var at = time.GetUtcNow() + grace;
            if (grace > TimeSpan.Zero)
            {
                await ends.AnnounceAsync(accountId, keyId, at, cancellation);
            }

            try
            {
                await accounts.UpdateKeyAsync(row, row.Value with { RevokedAt = row.Value.RevokedAt < at ? row.Value.RevokedAt : at }, cancellation);
                if (grace == TimeSpan.Zero)
                {
                    await relay.DisconnectKeyAsync(accountId, keyId, cancellation);
                }

                return;
            }
            catch (StaleWriteException) when (attempt < Attempts)
            {
                // Its last use was noted meanwhile.
            }
        }
    }

    private async Task RevokeIfThereAsync(string accountId, string keyId, TimeSpan grace, CancellationToken cancellation)
    {
        try
        {
            await RevokeAtAsync(accountId, keyId, grace, cancellation);
        }
        catch (ApiException gone) when (gone.Status == 404)
        {
            // Its end has come already.
        }
    }

    private async Task<Versioned<ApiKey>> FindAsync(string accountId, string keyId, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        return await accounts.FindKeyAsync(accountId, keyId, cancellation) is { } row && (row.Value.RevokedAt is not { } revoked || revoked > now)
            ? row
            : throw ApiErrors.NotFound("api_key", keyId);
    }

    private async Task<int> CountGoodAsync(string accountId, DateTimeOffset now, CancellationToken cancellation)
    {
        var count = 0;
        await foreach (var row in accounts.ListKeysAsync(accountId, cancellation))
        {
            count += IsGood(row.Value, now) ? 1 : 0;
        }

        return count;
    }

    private static bool IsGood(ApiKey key, DateTimeOffset now) =>
        key.EndsAt is not { } end || end > now;
}
