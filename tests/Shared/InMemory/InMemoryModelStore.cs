using System.Runtime.CompilerServices;
using LangTrain.Core.Models;

namespace LangTrain.Testing;

/// <summary>Rows of models in memory; passes the same contract tests as the table store. Thread-safe.</summary>
public sealed class InMemoryModelStore : IModelStore
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<(string Owner, string Id), StoredModel> _rows = [];

    public Task<StoredModel?> FindAsync(string? accountId, string modelId, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return Task.FromResult(_rows.GetValueOrDefault((accountId ?? "", modelId)));
        }
    }

    public Task UpsertAsync(StoredModel model, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            _rows[(model.AccountId ?? "", model.Id)] = model;
        }

        return Task.CompletedTask;
    }

    public Task<bool> DeleteAsync(string? accountId, string modelId, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return Task.FromResult(_rows.Remove((accountId ?? "", modelId)));
        }
    }

    public async IAsyncEnumerable<StoredModel> ListAsync(
        string? accountId, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        StoredModel[] found;
        lock (_lock)
        {
            found = [.. _rows.Values.Where(model => model.AccountId == accountId)];
        }

        foreach (var model in found)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return model;
        }

        await Task.CompletedTask;
    }
}
