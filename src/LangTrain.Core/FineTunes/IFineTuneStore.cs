using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Storage;

namespace LangTrain.Core.FineTunes;

/// <summary>Rows of fine-tunes. Thread-safe.</summary>
public interface IFineTuneStore
{
    /// <summary>Writes a new row, and before it the mark by which <see cref="ListActiveAsync"/> finds it.</summary>
    /// <exception cref="AlreadyExistsException">A job of this id is there.</exception>
    Task CreateAsync(FineTune job, CancellationToken cancellation = default);

    /// <summary>The row with its version; null when the account has no such job.</summary>
    Task<Versioned<FineTune>?> FindAsync(FineTuneRef job, CancellationToken cancellation = default);

    /// <summary>Replaces the row if it is still at <paramref name="current"/>'s version. A job that ends here leaves the list of active ones.</summary>
    /// <exception cref="StaleWriteException">The row was changed or deleted since.</exception>
    Task<Versioned<FineTune>> UpdateAsync(Versioned<FineTune> current, FineTune changed, CancellationToken cancellation = default);

    /// <summary>A page of an account's jobs; the cost does not grow with the number of jobs.</summary>
    Task<Page<FineTune>> ListAsync(string accountId, PageRequest page, FineTuneStatus? status = null, CancellationToken cancellation = default);

    /// <summary>Jobs of all accounts that have not ended (and perhaps a few that just did): for sweeps.</summary>
    IAsyncEnumerable<FineTuneRef> ListActiveAsync(CancellationToken cancellation = default);
}
