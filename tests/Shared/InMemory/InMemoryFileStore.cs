using System.Runtime.CompilerServices;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;

namespace LangTrain.Testing;

/// <summary>Rows of files in memory; passes the same contract tests as the table store. Thread-safe.</summary>
public sealed class InMemoryFileStore : IFileStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string AccountId, string Id), StoredFile> _rows = [];

    public Task CreateAsync(StoredFile file, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (!_rows.TryAdd((file.AccountId, file.Id), file))
            {
                throw new AlreadyExistsException($"File {file.Id}");
            }
        }

        return Task.CompletedTask;
    }

    public Task<StoredFile?> FindAsync(string accountId, string fileId, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return Task.FromResult(_rows.GetValueOrDefault((accountId, fileId)));
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
            var mine = _rows.Values.Where(file => file.AccountId == accountId && (purpose is null || file.Purpose == purpose));
            return Task.FromResult(InMemoryPages.Take(mine, file => file.Id, page));
        }
    }

    public async IAsyncEnumerable<StoredFile> ListExpiredAsync(
        DateTimeOffset at, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        StoredFile[] found;
        lock (_lock)
        {
            found = [.. _rows.Values.Where(file => file.ExpiresAt < at)];
        }

        foreach (var file in found)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return file;
        }

        await Task.CompletedTask;
    }
}
