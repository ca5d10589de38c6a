using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Accounts;

/// <summary>Finds the account of an API key. Thread-safe; one a process.</summary>
/// <remarks>
/// A good key is remembered for <see cref="Freshness"/>, so that a busy key costs no storage read a request and a revoked one still stops within
/// 5 seconds everywhere. However many come at once with a key that must be read, it is read once for all of them. What is not a good key is
/// never remembered: a new key works at once, and guesses fill no memory.
/// </remarks>
public sealed class ApiKeyAuthenticator(IAccountStore accounts, TimeProvider time)
{
    /// <summary>How long a key is believed without being read again.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(3);

    private const int MostRemembered = 10_000;

    // A key's row is not written with every request; the owner wants to know "today" or "never".
    private static readonly TimeSpan LastUsedPrecision = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, Remembered> _remembered = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<Remembered>>> _readings = new(StringComparer.Ordinal);

    /// <summary>The account and key of a secret.</summary>
    /// <exception cref="ApiException">401.</exception>
    public async ValueTask<(Account Account, ApiKey Key)> AuthenticateAsync(string? secret, CancellationToken cancellation = default)
    {
        if (string.IsNullOrEmpty(secret))
        {
            throw ApiErrors.Unauthorized("missing_api_key", "No API key was given. Send it as 'Authorization: Bearer YOUR_KEY'.");
        }

        if (secret.Length > ApiKeySecret.MaxLength)
        {
            throw Wrong();
        }

        return await AuthenticateHashAsync(ApiKeySecret.Hash(secret), cancellation);
    }

    /// <summary>The account and key by whose leave a ticket was made.</summary>
    /// <exception cref="ApiException">401; 403 for a suspended account.</exception>
    public async ValueTask<(Account Account, ApiKey Key)> AuthenticateTicketAsync(string accountId, string keyId, CancellationToken cancellation = default)
    {
        var found = await accounts.FindKeyAsync(accountId, keyId, cancellation) ?? throw Wrong();
        return await AuthenticateHashAsync(found.Value.Sha256, cancellation);
    }

    /// <summary>Ends what goes on for long (a stream) when its key is no longer good.</summary>
    /// <exception cref="ApiException">401; 403 for a suspended account.</exception>
    public async ValueTask RequireStillGoodAsync(ApiKey key, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        await AuthenticateHashAsync(key.Sha256, cancellation);
    }

    /// <summary>A stream that goes on only as long as its key is good: looked at before each element, from memory but for once in <see cref="Freshness"/>.</summary>
    /// <exception cref="ApiException">401; 403 for a suspended account.</exception>
    public async IAsyncEnumerable<T> WhileGoodAsync<T>(IAsyncEnumerable<T> elements, ApiKey key, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(elements);
        await foreach (var element in elements.WithCancellation(cancellation))
        {
            await RequireStillGoodAsync(key, cancellation);
            yield return element;
        }
    }

    private async ValueTask<(Account Account, ApiKey Key)> AuthenticateHashAsync(string hash, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        if (!_remembered.TryGetValue(hash, out var known) || now - known.ReadAt >= Freshness || now < known.ReadAt)
        {
            known = await ReadOnceAsync(hash, now).WaitAsync(cancellation);
            if (now - known.ReadAt >= Freshness)
            {
                // It joined a reading that storage kept waiting for long.
                known = await ReadRowsAsync(hash, now).WaitAsync(cancellation);
            }
        }
        else if (now - known.ReadAt >= Freshness / 2 && known.TryBeginRefresh())
        {
            // A key in steady use is read again before its time is up, and no request waits for it.
            _ = RefreshAsync(hash, now);
        }

        if (known.Key.ExpiresAt <= now)
        {
            throw ApiErrors.Unauthorized("api_key_expired", "This API key has expired.");
        }

        if (known.Key.RevokedAt <= now)
        {
            throw Wrong();
        }

        return known.Account.IsSuspended
            ? throw ApiErrors.Forbidden("account_suspended", "This account is suspended. Ask the operator of the service.")
            : (known.Account, known.Key);
    }

    private async Task RefreshAsync(string hash, DateTimeOffset now)
    {
        try
        {
            await ReadOnceAsync(hash, now);
        }
        catch
        {
            // No good key any more: it is forgotten by now. Or storage did not answer: the next request that must read it says so.
        }
    }

    // Nobody's cancellation ends a reading for which others wait.
    private Task<Remembered> ReadOnceAsync(string hash, DateTimeOffset now) =>
        _readings.GetOrAdd(hash, _ => new Lazy<Task<Remembered>>(() => ReadAsync(hash, now))).Value;

    private async Task<Remembered> ReadAsync(string hash, DateTimeOffset now)
    {
        try
        {
            return await ReadRowsAsync(hash, now);
        }
        finally
        {
            _readings.TryRemove(hash, out _);
        }
    }

    private async Task<Remembered> ReadRowsAsync(string hash, DateTimeOffset now)
    {
        var row = await accounts.FindKeyAsync(hash);
        if (row is null
            || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(row.Value.Sha256), Encoding.ASCII.GetBytes(hash))
            || row.Value.RevokedAt <= now
            || DashboardSignIn.IsTicket(row.Value)
            || await accounts.FindAsync(row.Value.AccountId) is not { } account)
        {
            _remembered.TryRemove(hash, out _);
            throw Wrong();
        }

        var key = await TouchAsync(row, now);
        if (_remembered.Count >= MostRemembered)
        {
            _remembered.Clear();
        }

        return _remembered[hash] = new Remembered(account, key, now);
    }

    private async Task<ApiKey> TouchAsync(Versioned<ApiKey> row, DateTimeOffset now)
    {
        if (row.Value.LastUsedAt is { } last && now - last < LastUsedPrecision)
        {
            return row.Value;
        }

        try
        {
            return (await accounts.UpdateKeyAsync(row, row.Value with { LastUsedAt = now })).Value;
        }
        catch (StaleWriteException)
        {
            // Another instance wrote the same, or the key is being revoked; the next reading sees it.
            return row.Value;
        }
    }

    private static ApiException Wrong() => ApiErrors.Unauthorized("invalid_api_key", "The API key is not valid. Keys are made and listed at /v1/api-keys.");

    private sealed record Remembered(Account Account, ApiKey Key, DateTimeOffset ReadAt)
    {
        private int _isRefreshing;

        public bool TryBeginRefresh() => Interlocked.Exchange(ref _isRefreshing, 1) == 0;
    }
}
