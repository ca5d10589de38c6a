namespace LangTrain.Core.Models;

/// <summary>Rows of models. Thread-safe.</summary>
public interface IModelStore
{
    /// <summary>A base model (<paramref name="accountId"/> null) or a model of an account; null when there is none.</summary>
    Task<StoredModel?> FindAsync(string? accountId, string modelId, CancellationToken cancellation = default);

    /// <summary>Writes a row, new or over an older one of the same owner and id.</summary>
    Task UpsertAsync(StoredModel model, CancellationToken cancellation = default);

    /// <summary>Deletes a row; false when there was none.</summary>
    Task<bool> DeleteAsync(string? accountId, string modelId, CancellationToken cancellation = default);

    /// <summary>All base models (<paramref name="accountId"/> null) or all models of an account.</summary>
    IAsyncEnumerable<StoredModel> ListAsync(string? accountId, CancellationToken cancellation = default);
}
