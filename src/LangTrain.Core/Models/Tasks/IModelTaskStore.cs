using LangTrain.Contracts.Models;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models.Tasks;

/// <summary>Rows of model tasks. Thread-safe.</summary>
public interface IModelTaskStore
{
    /// <summary>Writes a new row, and before it the mark by which <see cref="ListActiveAsync"/> finds it.</summary>
    /// <exception cref="AlreadyExistsException">A task of this id is there.</exception>
    Task CreateAsync(ModelTask task, CancellationToken cancellation = default);

    /// <summary>The row with its version; null when the account has no such task.</summary>
    Task<Versioned<ModelTask>?> FindAsync(ModelTaskRef task, CancellationToken cancellation = default);

    /// <summary>Replaces the row if it is still at <paramref name="current"/>'s version. A task that is settled leaves the list of active ones; one that no longer is comes back to it.</summary>
    /// <exception cref="StaleWriteException">The row was changed or deleted since.</exception>
    Task<Versioned<ModelTask>> UpdateAsync(Versioned<ModelTask> current, ModelTask changed, CancellationToken cancellation = default);

    /// <summary>Deletes a row if it is still at <paramref name="current"/>'s version; no error when it is gone.</summary>
    /// <exception cref="StaleWriteException">The row was changed since.</exception>
    Task DeleteAsync(Versioned<ModelTask> current, CancellationToken cancellation = default);

    /// <summary>All tasks of an account. Few: checks and deletions go when they are settled.</summary>
    IAsyncEnumerable<ModelTask> ListAsync(string accountId, CancellationToken cancellation = default);

    /// <summary>Tasks of all accounts that are not settled (and perhaps a few that just were): for sweeps.</summary>
    IAsyncEnumerable<ModelTaskRef> ListActiveAsync(CancellationToken cancellation = default);
}
