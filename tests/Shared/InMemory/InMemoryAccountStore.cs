using System.Globalization;
using System.Runtime.CompilerServices;
using LangTrain.Contracts.Accounts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Storage;

namespace LangTrain.Testing;

/// <summary>Rows of accounts and keys in memory; passes the same contract tests as the table store. Thread-safe.</summary>
public sealed class InMemoryAccountStore : IAccountStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Account> _accounts = [];
    private readonly Dictionary<string, Versioned<ApiKey>> _keys = [];
    private long _version;

    /// <summary>The keys of a store, whose ends nobody hears of.</summary>
    public static ApiKeys Keys(InMemoryAccountStore accounts, TimeProvider? time = null)
    {
        var clock = time ?? TimeProvider.System;
        var relay = new RecordingRelay();
        return new ApiKeys(accounts, relay, new KeyEnds(accounts, new InMemoryWorkQueue<EndKeyWorkItem>(clock), relay, clock), clock);
    }

    public Task<Account?> FindAsync(string accountId, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return Task.FromResult(_accounts.GetValueOrDefault(accountId));
        }
    }

    public Task CreateAsync(Account account, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            return _accounts.TryAdd(account.Id, account) ? Task.CompletedTask : throw new AlreadyExistsException($"Account {account.Id}");
        }
    }

    public Task<Page<Account>> ListAsync(int limit, string? after = null, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var found = _accounts.Values.Where(account => after is null || string.CompareOrdinal(account.Id, after) > 0)
                .OrderBy(account => account.Id, StringComparer.Ordinal).Take(limit + 1).ToList();
            return Task.FromResult(new Page<Account>([.. found.Take(limit)], found.Count > limit));
        }
    }

    public Task UpsertAsync(Account account, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            _accounts[account.Id] = account;
        }

        return Task.CompletedTask;
    }

    /// <summary>Awaited before a key is read: a storage that takes its time.</summary>
    public Func<Task>? BeforeFindKey { get; set; }

    public async Task<Versioned<ApiKey>?> FindKeyAsync(string sha256, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        await (BeforeFindKey?.Invoke() ?? Task.CompletedTask);
        lock (_lock)
        {
            return _keys.GetValueOrDefault(sha256);
        }
    }

    public Task CreateKeyAsync(ApiKey key, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (!_keys.TryAdd(key.Sha256, new Versioned<ApiKey>(key, NextVersion())))
            {
                throw new AlreadyExistsException($"Key {key.Prefix}");
            }
        }

        return Task.CompletedTask;
    }

    public Task<Versioned<ApiKey>> UpdateKeyAsync(Versioned<ApiKey> current, ApiKey changed, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        if (current.Value.Sha256 != changed.Sha256 || current.Value.AccountId != changed.AccountId)
        {
            throw new ArgumentException("An update keeps the key's hash and owner.", nameof(changed));
        }

        lock (_lock)
        {
            if (!_keys.TryGetValue(changed.Sha256, out var stored) || stored.ETag != current.ETag)
            {
                throw new StaleWriteException($"Key {changed.Id}");
            }

            return Task.FromResult(_keys[changed.Sha256] = new Versioned<ApiKey>(changed, NextVersion()));
        }
    }

    public Task DeleteKeyAsync(ApiKey key, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            _keys.Remove(key.Sha256);
        }

        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<Versioned<ApiKey>> ListKeysAsync(
        string accountId, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        Versioned<ApiKey>[] found;
        lock (_lock)
        {
            found = [.. _keys.Values.Where(key => key.Value.AccountId == accountId)];
        }

        foreach (var key in found)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return key;
        }

        await Task.CompletedTask;
    }

    private string NextVersion() => (++_version).ToString(CultureInfo.InvariantCulture);
}
