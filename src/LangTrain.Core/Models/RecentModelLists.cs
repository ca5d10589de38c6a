using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models;

/// <summary>A model store that remembers the lists of accounts for a moment, so that a client that polls costs no storage read each time. Thread-safe.</summary>
/// <remarks>
/// What this process writes is in its next list; what another wrote, within <see cref="Freshness"/>. A single model is read each time: who was told of
/// a model can use it at once, everywhere.
/// </remarks>
public sealed class RecentModelLists(IModelStore store, TimeProvider time) : IModelStore
{
    /// <summary>How long a list is believed.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);

    private const int MostAccounts = 1_000;

    private readonly ConcurrentDictionary<string, RecentValue<IReadOnlyList<StoredModel>>> _lists = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Task<StoredModel?> FindAsync(string? accountId, string modelId, CancellationToken cancellation = default) => store.FindAsync(accountId, modelId, cancellation);

    /// <inheritdoc/>
    public async Task UpsertAsync(StoredModel model, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        try
        {
            await store.UpsertAsync(model, cancellation);
        }
        finally
        {
            ListOf(model.AccountId).Forget();
        }
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(string? accountId, string modelId, CancellationToken cancellation = default)
    {
        try
        {
            return await store.DeleteAsync(accountId, modelId, cancellation);
        }
        finally
        {
            ListOf(accountId).Forget();
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredModel> ListAsync(string? accountId, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var model in await ListOf(accountId).GetAsync(cancellation))
        {
            yield return model;
        }
    }

    private RecentValue<IReadOnlyList<StoredModel>> ListOf(string? accountId)
    {
        if (_lists.TryGetValue(accountId ?? "", out var known))
        {
            return known;
        }

        if (_lists.Count >= MostAccounts)
        {
            // A reading more for each; a list that is forgotten while it is read goes to those who wait for it and to nobody else.
            _lists.Clear();
        }

        return _lists.GetOrAdd(accountId ?? "", _ => new RecentValue<IReadOnlyList<StoredModel>>(
            Freshness, time, async stop => await store.ListAsync(accountId, stop).ToListAsync(stop)));
    }
}
