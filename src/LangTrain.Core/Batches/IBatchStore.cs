using LangTrain.Contracts.Batches;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Batches;

/// <summary>Rows of batches. Thread-safe.</summary>
public interface IBatchStore
{
    /// <summary>Writes a new row, and before it the mark by which <see cref="ListActiveAsync"/> finds it.</summary>
    /// <exception cref="AlreadyExistsException">A batch of this id is there.</exception>
    Task CreateAsync(Batch batch, CancellationToken cancellation = default);

    /// <summary>The row with its version; null when the account has no such batch.</summary>
    Task<Versioned<Batch>?> FindAsync(BatchRef batch, CancellationToken cancellation = default);

    /// <summary>Replaces the row if it is still at <paramref name="current"/>'s version. A batch that ends here leaves the list of active ones.</summary>
    /// <exception cref="StaleWriteException">The row was changed or deleted since.</exception>
    Task<Versioned<Batch>> UpdateAsync(Versioned<Batch> current, Batch changed, CancellationToken cancellation = default);

    /// <summary>A page of an account's batches.</summary>
    Task<Page<Batch>> ListAsync(string accountId, PageRequest page, CancellationToken cancellation = default);

    /// <summary>Batches of all accounts that have not ended (and perhaps a few that just did): for the sweep.</summary>
    IAsyncEnumerable<BatchRef> ListActiveAsync(CancellationToken cancellation = default);
}

/// <summary>What is made of the store.</summary>
public static class BatchStoreExtensions
{
    private const int Tries = 12;

    /// <summary>Changes a row, decided anew on the row as it stands after each lost race.</summary>
    /// <param name="store">The rows.</param>
    /// <param name="batch">Which.</param>
    /// <param name="change">Given the row, gives what it should become, or null when there is nothing to do. Pure.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The row as it stands now; null when there is no such batch.</returns>
    /// <exception cref="StaleWriteException">The row was changed by others again and again.</exception>
    public static async Task<Batch?> ChangeAsync(
        this IBatchStore store, BatchRef batch, Func<Batch, Batch?> change, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(change);
        for (var attempt = 1; ; attempt++)
        {
            if (await store.FindAsync(batch, cancellation) is not { } row)
            {
                return null;
            }

            if (change(row.Value) is not { } wanted)
            {
                return row.Value;
            }

            try
            {
                return (await store.UpdateAsync(row, wanted, cancellation)).Value;
            }
            catch (StaleWriteException) when (attempt < Tries)
            {
                // Read again; the other's change may make this one needless.
            }
        }
    }
}
