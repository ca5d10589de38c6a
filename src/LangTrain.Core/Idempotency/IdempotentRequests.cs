using System.Security.Cryptography;
using System.Text;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Idempotency;

/// <summary>The answer of a request that was run once, perhaps earlier.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">JSON.</param>
/// <param name="Replayed">Whether it is the stored answer of an earlier request.</param>
public sealed record IdempotentAnswer(int Status, string Body, bool Replayed);

/// <summary>Runs a creating request once for each <c>Idempotency-Key</c> of an account, for 24 hours. Thread-safe.</summary>
public sealed class IdempotentRequests(IIdempotencyStore store, TimeProvider time)
{
    /// <summary>How long an answer is kept.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    // Past it whoever ran the request is believed dead, and the next one runs it again with the same seed.
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(5);

    private const int MostCharacters = 255;

    /// <summary>Runs a request, or gives the answer that it had.</summary>
    /// <param name="accountId">Owner.</param>
    /// <param name="key">The header's value, or null: then the request simply runs.</param>
    /// <param name="method">HTTP method.</param>
    /// <param name="path">Path.</param>
    /// <param name="body">The body's bytes.</param>
    /// <param name="run">Makes the thing with the given seed as last part of its id, and gives status and JSON body. It may run twice with one seed.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">409 while an earlier one still runs; 422 when the key was used with another request.</exception>
    public async Task<IdempotentAnswer> RunAsync(
        string accountId,
        string? key,
        string method,
        string path,
        ReadOnlyMemory<byte> body,
        Func<string, CancellationToken, Task<(int Status, string Body)>> run,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (key is null)
        {
            var (status, plain) = await run(NewSeed(), cancellation);
            return new IdempotentAnswer(status, plain, false);
        }

        if (key.Length is 0 or > MostCharacters)
        {
            throw ApiErrors.Invalid($"Idempotency-Key must have 1 to {MostCharacters} characters.", "Idempotency-Key");
        }

        var wanted = new IdempotentRequest
        {
            AccountId = accountId,
            Key = key,
            RequestSha256 = Hash(method, path, body.Span),
            Seed = NewSeed(),
            StartedAt = time.GetUtcNow(),
        };
        var row = await BeginAsync(wanted, cancellation);
        if (row.Value.Status is { } known)
        {
            return new IdempotentAnswer(known, row.Value.Body ?? "", true);
        }

        try
        {
            var (status, answer) = await run(row.Value.Seed, cancellation);
            await store.UpdateAsync(row, row.Value with { Status = status, Body = answer }, CancellationToken.None);
            return new IdempotentAnswer(status, answer, false);
        }
        catch (ApiException)
        {
            // Nothing was made; the client may correct the request or try again under the same key.
            await store.DeleteAsync(row, CancellationToken.None);
            throw;
        }
        catch
        {
            // An error of the service, or the client is gone: half of it may be made. The next try need not wait until this one counts as dead.
            await LetGoAsync(row);
            throw;
        }
    }

    /// <summary>Deletes what is no longer kept, of all accounts.</summary>
    /// <returns>How many rows.</returns>
    public Task<int> SweepAsync(CancellationToken cancellation = default) =>
        // An hour more than the promise, for clocks that differ from the storage's.
        store.DeleteBeforeAsync(time.GetUtcNow() - Lifetime - TimeSpan.FromHours(1), cancellation);

    private async Task LetGoAsync(Versioned<IdempotentRequest> row)
    {
        try
        {
            await store.UpdateAsync(row, row.Value with { StartedAt = row.Value.StartedAt - LongestRun }, CancellationToken.None);
        }
        catch
        {
            // Storage is what failed, most likely; then the next try waits. The first failure is what the caller must hear of.
        }
    }

    private async Task<Versioned<IdempotentRequest>> BeginAsync(IdempotentRequest wanted, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await store.CreateAsync(wanted, cancellation);
            }
            catch (AlreadyExistsException)
            {
                if (await store.FindAsync(wanted.AccountId, wanted.Key, cancellation) is not { } found)
                {
                    // It was deleted in between; the next round can create it.
                }
                else if (await TakeOverAsync(found, wanted, cancellation) is { } row)
                {
                    return row;
                }

                if (attempt == 5)
                {
                    throw Running();
                }
            }
        }
    }

    private async Task<Versioned<IdempotentRequest>?> TakeOverAsync(
        Versioned<IdempotentRequest> found, IdempotentRequest wanted, CancellationToken cancellation)
    {
        var age = wanted.StartedAt - found.Value.StartedAt;
        if (age < Lifetime && found.Value.RequestSha256 != wanted.RequestSha256)
        {
            throw ApiErrors.Unprocessable(
                "idempotency_key_reused", "This Idempotency-Key was used with another request in the last 24 hours.", "Idempotency-Key");
        }

        if (age < Lifetime && found.Value.Status is not null)
        {
            return found;
        }

        if (age < LongestRun)
        {
            throw Running();
        }

        try
        {
            var again = age < Lifetime ? wanted with { Seed = found.Value.Seed } : wanted;
            return await store.UpdateAsync(found, again, cancellation);
        }
        catch (StaleWriteException)
        {
            return null;
        }
    }

    private static ApiException Running() => ApiErrors.Conflict(
        "idempotency_key_in_use", "A request with this Idempotency-Key is still running.", shouldRetry: true, param: "Idempotency-Key");

    private string NewSeed() => Ids.New("", time)[1..];

    private static string Hash(string method, string path, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{method} {path}\n"));
        hash.AppendData(body);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
