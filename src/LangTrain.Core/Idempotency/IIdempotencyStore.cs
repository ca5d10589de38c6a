using LangTrain.Core.Storage;

namespace LangTrain.Core.Idempotency;

/// <summary>Requests that carried an <c>Idempotency-Key</c>, and their answers. Thread-safe.</summary>
public interface IIdempotencyStore
{
    /// <summary>Writes a new row.</summary>
    /// <exception cref="AlreadyExistsException">The account used this key already.</exception>
    Task<Versioned<IdempotentRequest>> CreateAsync(IdempotentRequest request, CancellationToken cancellation = default);

    /// <summary>The row with its version; null when there is none.</summary>
    /// <param name="accountId">Owner.</param>
    /// <param name="key">The client's key: any text of up to 255 characters, so it is hashed where names are restricted.</param>
    /// <param name="cancellation">Stops it.</param>
    Task<Versioned<IdempotentRequest>?> FindAsync(string accountId, string key, CancellationToken cancellation = default);

    /// <summary>Replaces the row if it is still at <paramref name="current"/>'s version.</summary>
    /// <exception cref="StaleWriteException">It was changed or deleted since.</exception>
    Task<Versioned<IdempotentRequest>> UpdateAsync(
        Versioned<IdempotentRequest> current, IdempotentRequest changed, CancellationToken cancellation = default);

    /// <summary>Deletes the row if it is still at <paramref name="current"/>'s version; no error when it is not.</summary>
    Task DeleteAsync(Versioned<IdempotentRequest> current, CancellationToken cancellation = default);

    /// <summary>Deletes the rows of all accounts that were not written since a moment: those whose answer is no longer kept.</summary>
    /// <returns>How many.</returns>
    Task<int> DeleteBeforeAsync(DateTimeOffset moment, CancellationToken cancellation = default);
}

/// <summary>A request with an <c>Idempotency-Key</c>. Immutable.</summary>
public sealed record IdempotentRequest
{
    /// <summary>Owner.</summary>
    public required string AccountId { get; init; }

    /// <summary>The client's key.</summary>
    public required string Key { get; init; }

    /// <summary>SHA-256 of method, path and body, lower-case hex.</summary>
    public required string RequestSha256 { get; init; }

    /// <summary>
    /// Last part of the id of whatever the request makes. It is fixed here before anything is made, so that a second run, after the first died
    /// half-way, makes the same thing and not another one.
    /// </summary>
    public required string Seed { get; init; }

    /// <summary>When this run began, UTC.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Status of the answer; null while it runs.</summary>
    public int? Status { get; init; }

    /// <summary>Body of the answer, JSON.</summary>
    public string? Body { get; init; }
}
