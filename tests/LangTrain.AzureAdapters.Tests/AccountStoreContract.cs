using Azure.Data.Tables;
using LangTrain.AzureAdapters.Tables;
using LangTrain.Core;
using LangTrain.Core.Accounts;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IAccountStore"/> does.</summary>
public abstract class AccountStoreContract
{
    protected abstract IAccountStore Store { get; }

    [Fact]
    public async Task An_account_is_written_and_replaced()
    {
        var account = Some.Account() with { RequestsPerMinute = 7 };
        Assert.Null(await Store.FindAsync(account.Id));
        await Store.UpsertAsync(account);
        await Store.UpsertAsync(account with { Tier = "enterprise", Email = null });

        Assert.Equal(account with { Tier = "enterprise", Email = null }, await Store.FindAsync(account.Id));
    }

    [Fact]
    public async Task An_account_is_made_once_and_all_are_listed_by_id()
    {
        foreach (var id in (string[])["user-c", "user-a", "user-b"])
        {
            await Store.CreateAsync(Some.Account(id));
        }

        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.CreateAsync(Some.Account("user-a", "free")));
        Assert.Equal("pro", (await Store.FindAsync("user-a"))!.Tier);
        var first = await Store.ListAsync(2);
        var second = await Store.ListAsync(2, first.Items[^1].Id);
        Assert.Equal(["user-a", "user-b"], first.Items.Select(account => account.Id));
        Assert.Equal(["user-c"], second.Items.Select(account => account.Id));
        Assert.Equal((true, false), (first.HasMore, second.HasMore));
    }

    [Fact]
    public async Task A_key_is_found_by_its_hash_and_listed_under_its_owner()
    {
        var (a, b) = (Some.Key(Hash()), Some.Key(Hash()));
        await Store.CreateKeyAsync(a);
        await Store.CreateKeyAsync(b);
        await Store.CreateKeyAsync(Some.Key(Hash(), "user-other"));

        Assert.Equal(a with { Scopes = [] }, (await Store.FindKeyAsync(a.Sha256))!.Value with { Scopes = [] });
        Assert.Equal(a.Scopes, (await Store.FindKeyAsync(a.Sha256))!.Value.Scopes);
        Assert.Null(await Store.FindKeyAsync(Hash()));
        Assert.Equal(
            new[] { a.Id, b.Id }.Order(StringComparer.Ordinal),
            (await Store.ListKeysAsync(Some.AccountId).Select(k => k.Value.Id).ToListAsync()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_hash_belongs_to_the_account_that_had_it_first()
    {
        var mine = Some.Key(Hash());
        await Store.CreateKeyAsync(mine);

        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.CreateKeyAsync(Some.Key(mine.Sha256, "user-other")));
        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.CreateKeyAsync(Some.Key(mine.Sha256)));

        Assert.Empty(await Store.ListKeysAsync("user-other").ToListAsync());
        Assert.Equal([mine.Id], await Store.ListKeysAsync(Some.AccountId).Select(k => k.Value.Id).ToListAsync());
    }

    [Fact]
    public async Task A_stale_write_of_a_key_is_refused()
    {
        var key = Some.Key(Hash());
        await Store.CreateKeyAsync(key);
        var read = (await Store.FindKeyAsync(key.Sha256))!;
        var revoked = await Store.UpdateKeyAsync(read, key with { RevokedAt = Some.Moment });

        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateKeyAsync(read, key with { LastUsedAt = Some.Moment }));
        await Store.UpdateKeyAsync(revoked, revoked.Value with { LastUsedAt = Some.Moment });

        Assert.Equal((Some.Moment, Some.Moment), ((await Store.FindKeyAsync(key.Sha256))!.Value.RevokedAt, (await Store.FindKeyAsync(key.Sha256))!.Value.LastUsedAt));
    }

    protected static string Hash() => Guid.NewGuid().ToString("N") + Guid.NewGuid().ToString("N");
}

public sealed class InMemoryAccountStoreTests : AccountStoreContract
{
    protected override IAccountStore Store { get; } = new InMemoryAccountStore();
}

public sealed class TableAccountStoreTests : AccountStoreContract
{
    private readonly LazyResource<TableClient> _keys;

    public TableAccountStoreTests(AzuriteFixture azurite)
    {
        var storage = azurite.NewAccount();
        _keys = storage.Table(storage.Names.KeysTable);
        Store = new TableAccountStore(storage.Table(storage.Names.UsersTable), _keys);
    }

    protected override IAccountStore Store { get; }

    [Fact]
    public async Task A_name_without_a_key_is_passed_over_and_the_same_key_can_be_made_again()
    {
        // The process died after the name was written and before the key was.
        var key = Some.Key(Hash());
        var table = await _keys.GetAsync(CancellationToken.None);
        await table.UpsertEntityAsync(new TableEntity(TableKeys.Owner(key.AccountId), TableKeys.Escape(Ids.NewestFirst(key.Id))) { ["Sha256"] = key.Sha256 });

        Assert.Empty(await Store.ListKeysAsync(key.AccountId).ToListAsync());
        await Store.CreateKeyAsync(key);
        Assert.Single(await Store.ListKeysAsync(key.AccountId).ToListAsync());
    }
}
