using System.Globalization;
using System.Runtime.CompilerServices;
using LangTrain.Contracts.Models;
using LangTrain.Core.Models.Tasks;
using LangTrain.Core.Storage;

namespace LangTrain.Testing;

/// <summary>Rows of model tasks in memory; passes the same contract tests as the table store. Thread-safe.</summary>
public sealed class InMemoryModelTaskStore : IModelTaskStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ModelTaskRef, Versioned<ModelTask>> _rows = [];
    private int _version;

    /// <summary>Called before each write: a storage that does not answer.</summary>
    public Action? BeforeWrite { get; set; }

    public Task CreateAsync(ModelTask task, CancellationToken cancellation = default)
    {
        BeforeWrite?.Invoke();
        lock (_lock)
        {
            return _rows.TryAdd(task.Ref(), Next(task)) ? Task.CompletedTask : throw new AlreadyExistsException($"Model task {task.Id}");
        }
    }

    public Task<Versioned<ModelTask>?> FindAsync(ModelTaskRef task, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return Task.FromResult(_rows.GetValueOrDefault(task));
        }
    }

    public Task<Versioned<ModelTask>> UpdateAsync(Versioned<ModelTask> current, ModelTask changed, CancellationToken cancellation = default)
    {
        BeforeWrite?.Invoke();
        lock (_lock)
        {
            return _rows.TryGetValue(changed.Ref(), out var row) && row.ETag == current.ETag
                ? Task.FromResult(_rows[changed.Ref()] = Next(changed))
                : throw new StaleWriteException($"Model task {changed.Id}");
        }
    }

    public Task DeleteAsync(Versioned<ModelTask> current, CancellationToken cancellation = default)
    {
        BeforeWrite?.Invoke();
        lock (_lock)
        {
            if (_rows.TryGetValue(current.Value.Ref(), out var row) && row.ETag != current.ETag)
            {
                throw new StaleWriteException($"Model task {current.Value.Id}");
            }

            _rows.Remove(current.Value.Ref());
        }

        return Task.CompletedTask;
    }

    public IAsyncEnumerable<ModelTask> ListAsync(string accountId, CancellationToken cancellation = default) =>
        Select(row => row.AccountId == accountId, cancellation);

    public async IAsyncEnumerable<ModelTaskRef> ListActiveAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var row in Select(row => !row.IsSettled, cancellation))
        {
            yield return row.Ref();
        }
    }

    private async IAsyncEnumerable<ModelTask> Select(Func<ModelTask, bool> wanted, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ModelTask[] found;
        lock (_lock)
        {
            found = [.. _rows.Values.Select(row => row.Value).Where(wanted)];
        }

        foreach (var row in found)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return row;
        }

        await Task.CompletedTask;
    }

    private Versioned<ModelTask> Next(ModelTask task) => new(task, (++_version).ToString(CultureInfo.InvariantCulture));
}
