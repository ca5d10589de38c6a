using System.Globalization;
using System.Runtime.CompilerServices;
using LangTrain.Contracts.Batches;
using LangTrain.Core.Batches;
using LangTrain.Core.Storage;

namespace LangTrain.Testing;

/// <summary>Rows of batches in memory; passes the same contract tests as the table store. Thread-safe.</summary>
public sealed class InMemoryBatchStore : IBatchStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<BatchRef, Versioned<Batch>> _rows = [];
    private long _version;

    public Task CreateAsync(Batch batch, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return _rows.TryAdd(batch.Ref(), new Versioned<Batch>(batch, NextVersion())) ? Task.CompletedTask : throw new AlreadyExistsException($"Batch {batch.Id}");
        }
    }

    public Task<Versioned<Batch>?> FindAsync(BatchRef batch, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return Task.FromResult(_rows.GetValueOrDefault(batch));
        }
    }

    public Task<Versioned<Batch>> UpdateAsync(Versioned<Batch> current, Batch changed, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (!_rows.TryGetValue(changed.Ref(), out var stored) || stored.ETag != current.ETag)
            {
                throw new StaleWriteException($"Batch {changed.Id}");
            }

            return Task.FromResult(_rows[changed.Ref()] = new Versioned<Batch>(changed, NextVersion()));
        }
    }

    public Task<Page<Batch>> ListAsync(string accountId, PageRequest page, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            return Task.FromResult(InMemoryPages.Take(_rows.Values.Select(row => row.Value).Where(batch => batch.AccountId == accountId), batch => batch.Id, page));
        }
    }

    public async IAsyncEnumerable<BatchRef> ListActiveAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        BatchRef[] found;
        lock (_lock)
        {
            found = [.. _rows.Values.Where(row => !row.Value.Status.IsTerminal()).Select(row => row.Value.Ref())];
        }

        foreach (var batch in found)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return batch;
        }

        await Task.CompletedTask;
    }

    private string NextVersion() => (++_version).ToString(CultureInfo.InvariantCulture);
}
