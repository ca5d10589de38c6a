using System.Globalization;
using System.Runtime.CompilerServices;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;

namespace LangTrain.Testing;

/// <summary>Rows of fine-tunes in memory; passes the same contract tests as the table store. Thread-safe.</summary>
public sealed class InMemoryFineTuneStore : IFineTuneStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<FineTuneRef, Versioned<FineTune>> _rows = [];
    private readonly HashSet<FineTuneRef> _active = [];
    private long _version;

    /// <summary>Called before a row is created or replaced; what it throws is what a storage that does not answer would throw.</summary>
    public Action<FineTune>? BeforeWrite { get; set; }

    /// <summary>Called after a row was created or replaced: a crash after the write.</summary>
    public Action<FineTune>? AfterWrite { get; set; }

    public Task CreateAsync(FineTune job, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        BeforeWrite?.Invoke(job);
        lock (_lock)
        {
            if (_rows.ContainsKey(job.Ref()))
            {
                throw new AlreadyExistsException($"Job {job.Id}");
            }

            _active.Add(job.Ref());
            _rows[job.Ref()] = new Versioned<FineTune>(job, NextVersion());
        }

        AfterWrite?.Invoke(job);
        return Task.CompletedTask;
    }

    public Task<Versioned<FineTune>?> FindAsync(FineTuneRef job, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return Task.FromResult(_rows.GetValueOrDefault(job));
        }
    }

    public Task<Versioned<FineTune>> UpdateAsync(Versioned<FineTune> current, FineTune changed, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        if (current.Value.Ref() != changed.Ref())
        {
            throw new ArgumentException("An update keeps the job's key.", nameof(changed));
        }

        BeforeWrite?.Invoke(changed);
        Versioned<FineTune> written;
        lock (_lock)
        {
            if (!_rows.TryGetValue(changed.Ref(), out var stored) || stored.ETag != current.ETag)
            {
                throw new StaleWriteException($"Job {changed.Id}");
            }

            written = new Versioned<FineTune>(changed, NextVersion());
            _rows[changed.Ref()] = written;
            if (FineTuneStateMachine.IsTerminal(changed.Status))
            {
                _active.Remove(changed.Ref());
            }
        }

        AfterWrite?.Invoke(changed);
        return Task.FromResult(written);
    }

    public Task<Page<FineTune>> ListAsync(string accountId, PageRequest page, FineTuneStatus? status = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var mine = _rows.Values.Select(row => row.Value).Where(job => job.AccountId == accountId && (status is null || job.Status == status));
            return Task.FromResult(InMemoryPages.Take(mine, job => job.Id, page));
        }
    }

    public async IAsyncEnumerable<FineTuneRef> ListActiveAsync(
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        FineTuneRef[] found;
        lock (_lock)
        {
            found = [.. _active];
        }

        foreach (var job in found)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return job;
        }

        await Task.CompletedTask;
    }

    private string NextVersion() => (++_version).ToString(CultureInfo.InvariantCulture);
}
