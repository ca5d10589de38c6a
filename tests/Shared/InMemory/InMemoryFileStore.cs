using System.Globalization;
using System.Runtime.CompilerServices;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;

namespace LangTrain.Testing;

/// <summary>Rows of files in memory; passes the same contract tests as the table store. Thread-safe.</summary>
public sealed class InMemoryFileStore : IFileStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string AccountId, string Id), Versioned<StoredFile>> _rows = [];
    private long _version;

    /// <summary>Awaited before a row is touched, or deleted at a version: whoever else is at work at that moment.</summary>
    public Func<Task>? BeforeTouch { get; set; }

    /// <inheritdoc cref="BeforeTouch"/>
    public Func<Task>? BeforeDelete { get; set; }

    public Task CreateAsync(StoredFile file, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (!_rows.TryAdd((file.AccountId, file.Id), Next(file)))
            {
                throw new AlreadyExistsException($"File {file.Id}");
            }
        }

        return Task.CompletedTask;
    }

    public async Task<StoredFile?> FindAsync(string accountId, string fileId, CancellationToken cancellation = default) =>
        (await FindVersionAsync(accountId, fileId, cancellation))?.Value;

    public Task<Versioned<StoredFile>?> FindVersionAsync(string accountId, string fileId, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return Task.FromResult(_rows.GetValueOrDefault((accountId, fileId)));
        }
    }

    public Task<Versioned<StoredFile>> UpdateAsync(Versioned<StoredFile> current, StoredFile changed, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var key = (changed.AccountId, changed.Id);
            return _rows.TryGetValue(key, out var row) && row.ETag == current.ETag
                ? Task.FromResult(_rows[key] = Next(changed))
                : throw new StaleWriteException($"File {changed.Id}");
        }
    }

    public async Task<bool> TouchAsync(string accountId, string fileId, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        await (BeforeTouch?.Invoke() ?? Task.CompletedTask);
        lock (_lock)
        {
            if (!_rows.TryGetValue((accountId, fileId), out var row))
            {
                return false;
            }

            _rows[(accountId, fileId)] = Next(row.Value);
            return true;
        }
    }

    public async Task<bool> DeleteAsync(Versioned<StoredFile> current, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        await (BeforeDelete?.Invoke() ?? Task.CompletedTask);
        lock (_lock)
        {
            var key = (current.Value.AccountId, current.Value.Id);
            return _rows.TryGetValue(key, out var row) && row.ETag == current.ETag && _rows.Remove(key);
        }
    }

    public Task<bool> DeleteAsync(string accountId, string fileId, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return Task.FromResult(_rows.Remove((accountId, fileId)));
        }
    }

    public Task<Page<StoredFile>> ListAsync(string accountId, PageRequest page, string? purpose = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var mine = _rows.Values.Select(row => row.Value).Where(file => file.AccountId == accountId && (purpose is null || file.Purpose == purpose));
            return Task.FromResult(InMemoryPages.Take(mine, file => file.Id, page));
        }
    }

    public async IAsyncEnumerable<StoredFile> ListExpiredAsync(
        DateTimeOffset at, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        StoredFile[] found;
        lock (_lock)
        {
            found = [.. _rows.Values.Select(row => row.Value).Where(file => file.ExpiresAt < at)];
        }

        foreach (var file in found)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return file;
        }

        await Task.CompletedTask;
    }

    private Versioned<StoredFile> Next(StoredFile file) => new(file, (++_version).ToString(CultureInfo.InvariantCulture));
}
