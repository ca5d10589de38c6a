using System.Globalization;
using System.Runtime.CompilerServices;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;

namespace LangTrain.Testing;

/// <summary>Rows of uploads in memory; passes the same contract tests as the table store. Thread-safe.</summary>
public sealed class InMemoryUploadStore : IUploadStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string AccountId, string Id), Versioned<UploadSession>> _rows = [];
    private readonly HashSet<(string AccountId, string Id)> _due = [];
    private int _version;

    public Task CreateAsync(UploadSession upload, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            _due.Add((upload.AccountId, upload.Id));
            if (!_rows.TryAdd((upload.AccountId, upload.Id), Next(upload)))
            {
                throw new AlreadyExistsException($"Upload {upload.Id}");
            }
        }

        return Task.CompletedTask;
    }

    public Task<Versioned<UploadSession>?> FindAsync(string accountId, string uploadId, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return Task.FromResult(_rows.GetValueOrDefault((accountId, uploadId)));
        }
    }

    public Task<Versioned<UploadSession>> UpdateAsync(Versioned<UploadSession> current, UploadSession changed, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var key = (changed.AccountId, changed.Id);
            if (!_rows.TryGetValue(key, out var row) || row.ETag != current.ETag)
            {
                throw new StaleWriteException($"Upload {changed.Id}");
            }

            return Task.FromResult(_rows[key] = Next(changed));
        }
    }

    public async IAsyncEnumerable<UploadSession> ListDueAsync(DateTimeOffset at, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        UploadSession[] found;
        lock (_lock)
        {
            found = [.. _due.Select(key => _rows[key].Value).Where(upload => upload.ExpiresAt < at)];
        }

        foreach (var upload in found)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return upload;
        }

        await Task.CompletedTask;
    }

    public Task SettleAsync(UploadSession upload, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            _due.Remove((upload.AccountId, upload.Id));
        }

        return Task.CompletedTask;
    }

    private Versioned<UploadSession> Next(UploadSession upload) => new(upload, (++_version).ToString(CultureInfo.InvariantCulture));
}

/// <summary>Addresses that name a blob and lead nowhere.</summary>
public sealed class InMemoryBlobLinks : IBlobLinks
{
    public Task<Uri> ToReadAsync(string container, string name, TimeSpan lifetime, string filename, CancellationToken cancellation = default) =>
        Task.FromResult(new Uri($"memory://read/{container}/{name}"));

    public Task<Uri> ToWriteAsync(string container, string name, TimeSpan lifetime, CancellationToken cancellation = default) =>
        Task.FromResult(new Uri($"memory://write/{container}/{name}"));
}
