using System.Runtime.CompilerServices;

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

    private const int MostAccounts = 1_000, MostModels = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Recent> _lists = new(StringComparer.Ordinal);
    private long _writes;

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
            Forget(model.AccountId);
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
            Forget(accountId);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredModel> ListAsync(
        string? accountId, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        foreach (var model in await ReadAsync(accountId, cancellation))
        {
            yield return model;
        }
    }

    private async ValueTask<IReadOnlyList<StoredModel>> ReadAsync(string? accountId, CancellationToken cancellation)
    {
        var (key, now) = (accountId ?? "", time.GetUtcNow());
        long before;
        lock (_lock)
        {
            if (_lists.TryGetValue(key, out var known) && now - known.ReadAt < Freshness && now >= known.ReadAt)
            {
                return known.Models;
            }

            before = _writes;
        }

        var models = await store.ListAsync(accountId, cancellation).ToListAsync(cancellation);
        lock (_lock)
        {
            if (_lists.Count >= MostAccounts)
            {
                _lists.Clear();
            }

            // A list that a write may have overtaken is given and not kept.
            if (models.Count <= MostModels && _writes == before)
            {
                _lists[key] = new Recent(models, now);
            }
        }

        return models;
    }

    private void Forget(string? accountId)
    {
        lock (_lock)
        {
            _writes++;
            _lists.Remove(accountId ?? "");
        }
    }

    private sealed record Recent(IReadOnlyList<StoredModel> Models, DateTimeOffset ReadAt);
}
