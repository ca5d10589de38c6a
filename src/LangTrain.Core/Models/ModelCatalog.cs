using System.Collections.Concurrent;
using System.Collections.Frozen;
using LangTrain.Contracts.Generation;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Models;

/// <summary>Finds the models that an account may use: its own, the base models, and base models by alias. Thread-safe; one a process.</summary>
/// <remarks>Base models are few and change seldom: they are kept in memory for <see cref="Freshness"/>. An account's own models are read each time that they are shown; what is needed to use a ready one is kept as long as the others.</remarks>
public sealed class ModelCatalog(IModelStore store, ModelAliases aliases, TimeProvider time, CheckpointModels? checkpoints = null)
{
    /// <summary>How long the list of base models is believed without being read again.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(3);

    private const int MostRemembered = 10_000;

    private readonly ConcurrentDictionary<(string AccountId, string ModelId), (StoredModel Model, DateTimeOffset ReadAt)> _own = new();
    private readonly RecentValue<BaseModels> _base = new(Freshness, time, stop => ReadAsync(store, aliases, stop));

    /// <summary>A model by its id or alias; null when the account may use no such model.</summary>
    /// <returns>The model under its own id, whatever alias was asked for.</returns>
    public async Task<StoredModel?> FindAsync(string accountId, string modelId, CancellationToken cancellation = default)
    {
        var models = await BaseModelsAsync(cancellation);
        if (models.TryGetValue(aliases.Resolve(modelId), out var found))
        {
            return found;
        }

        return checkpoints is not null && CheckpointModels.IsOne(modelId)
            ? await checkpoints.FindAsync(accountId, modelId, cancellation)
            : await store.FindAsync(accountId, modelId, cancellation) is { } own && own.Status != ModelStatuses.Pointer ? own : null;
    }

    /// <summary>A model as the account sees it: under the alias that it asked for.</summary>
    /// <exception cref="ApiException">404.</exception>
    public async Task<StoredModel> GetAsync(string accountId, string modelId, CancellationToken cancellation = default) =>
        await FindAsync(accountId, modelId, cancellation) is { } model ? model with { Id = modelId } : throw ApiErrors.NotFound("model", modelId);

    /// <summary>What a worker is to load to answer for a model.</summary>
    /// <param name="accountId">Who asks.</param>
    /// <param name="modelId">Id or alias.</param>
    /// <param name="param">Where the id stood in the request.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ApiException">404; 409 <c>model_not_ready</c>.</exception>
    public async Task<(StoredModel Model, GenerationTarget Target)> ResolveAsync(
        string accountId, string modelId, string? param = "model", CancellationToken cancellation = default)
    {
        var model = await FindToUseAsync(accountId, modelId, cancellation) ?? throw ApiErrors.NotFound("model", modelId, param);
        RequireReady(model, modelId, param);
        if (model.Weights is { } weights)
        {
            return (model, new GenerationTarget(modelId, weights, null, model.Quantization));
        }

        var under = model.BaseModelId is { } baseId ? await FindToUseAsync(accountId, baseId, cancellation) : null;
        if (under?.Weights is null || model.Adapter is null)
        {
            throw NotReady(modelId, $"Its base model '{model.BaseModelId}' is gone.", param);
        }

        RequireReady(under, modelId, param);
        return (model, new GenerationTarget(modelId, under.Weights, model.Adapter, model.Quantization));
    }

    /// <summary>All models that an account may use, aliases among them, by id; the account's own first.</summary>
    public async Task<IReadOnlyList<StoredModel>> ListAsync(string accountId, CancellationToken cancellation = default)
    {
        // Both readings at once, where there is anything to read.
        var baseModels = _base.GetAsync(cancellation);
        var models = new List<StoredModel>();
        await foreach (var model in store.ListAsync(accountId, cancellation))
        {
            if (model.Status != ModelStatuses.Pointer)
            {
                models.Add(model);
            }
        }

        models.Sort((a, b) => string.CompareOrdinal(a.Id, b.Id));
        models.AddRange((await baseModels).Listed);
        return models;
    }

    /// <summary>Forgets the base models in memory, after some were registered.</summary>
    public void Refresh() => _base.Forget();

    /// <summary>Forgets an account's model, after it was changed or deleted. Other instances do by themselves, within <see cref="Freshness"/>.</summary>
    public void Forget(string accountId, string modelId) => _own.TryRemove((accountId, modelId), out _);

    // A chat with a fine-tuned model asks once a turn; a read of storage each time would be most of what the API adds to it.
    private async ValueTask<StoredModel?> FindToUseAsync(string accountId, string modelId, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        if (_own.TryGetValue((accountId, modelId), out var known) && now - known.ReadAt < Freshness && now >= known.ReadAt)
        {
            return known.Model;
        }

        var model = await FindAsync(accountId, modelId, cancellation);
        if (model is { AccountId: not null, Status: ModelStatuses.Ready })
        {
            if (_own.Count >= MostRemembered)
            {
                _own.Clear();
            }

            _own[(accountId, modelId)] = (model, now);
        }

        return model;
    }

    private static void RequireReady(StoredModel model, string modelId, string? param)
    {
        if (model.Status != ModelStatuses.Ready)
        {
            throw NotReady(modelId, model.StatusReason ?? $"Its status is '{model.Status}'.", param);
        }
    }

    private static ApiException NotReady(string modelId, string why, string? param) =>
        ApiErrors.Conflict("model_not_ready", $"The model '{ApiErrors.Shorten(modelId)}' cannot answer. {why}", param: param);

    private async ValueTask<FrozenDictionary<string, StoredModel>> BaseModelsAsync(CancellationToken cancellation) => (await _base.GetAsync(cancellation)).ById;

    private static async Task<BaseModels> ReadAsync(IModelStore store, ModelAliases aliases, CancellationToken cancellation)
    {
        var known = new Dictionary<string, StoredModel>(StringComparer.Ordinal);
        await foreach (var model in store.ListAsync(null, cancellation))
        {
            known[model.Id] = model;
        }

        var byAlias = aliases.All.Where(pair => known.ContainsKey(pair.Value)).Select(pair => known[pair.Value] with { Id = pair.Key });
        var plain = known.Values.Where(model => !aliases.All.TryGetValue(model.Id, out var other) || !known.ContainsKey(other));
        return new BaseModels(
            known.ToFrozenDictionary(StringComparer.Ordinal), [.. plain.Concat(byAlias).OrderBy(model => model.Id, StringComparer.Ordinal)]);
    }

    /// <summary>The base models, and as they are listed: by id, aliases among them.</summary>
    private sealed record BaseModels(FrozenDictionary<string, StoredModel> ById, IReadOnlyList<StoredModel> Listed);
}
