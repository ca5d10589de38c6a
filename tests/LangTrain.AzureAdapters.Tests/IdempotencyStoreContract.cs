using LangTrain.AzureAdapters.Tables;
using LangTrain.Core.Idempotency;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IIdempotencyStore"/> does.</summary>
public abstract class IdempotencyStoreContract
{
    protected abstract IIdempotencyStore Store { get; }

    [Theory]
    [InlineData("plain-key")]
    [InlineData("with/every\\char#?\u0001 ü")]
    [InlineData("漢")]
    public async Task A_key_of_any_text_is_used_once_an_account(string key)
    {
        // The longest key that is let in.
        var request = Request(string.Concat(Enumerable.Repeat(key, 255 / key.Length)));
        var created = await Store.CreateAsync(request);

        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.CreateAsync(request));
        await Store.CreateAsync(request with { AccountId = "user-other" });
        Assert.Equal(created, await Store.FindAsync(request.AccountId, request.Key));
        Assert.Null(await Store.FindAsync(request.AccountId, request.Key + "x"));
    }

    [Fact]
    public async Task The_answer_is_kept_whole_and_stale_writes_are_refused()
    {
        var running = await Store.CreateAsync(Request("k"));
        var answer = new string('ü', 30_000);
        var done = await Store.UpdateAsync(running, running.Value with { Status = 200, Body = answer });

        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateAsync(running, running.Value with { Status = 500 }));
        Assert.Equal((200, answer), ((await Store.FindAsync(Some.AccountId, "k"))!.Value.Status, (await Store.FindAsync(Some.AccountId, "k"))!.Value.Body));
        // A delete that comes too late deletes nothing.
        await Store.DeleteAsync(running);
        Assert.NotNull(await Store.FindAsync(Some.AccountId, "k"));
        await Store.DeleteAsync(done);
        await Store.DeleteAsync(done);
        Assert.Null(await Store.FindAsync(Some.AccountId, "k"));
        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateAsync(done, done.Value));
        await Store.CreateAsync(Request("k"));
    }

    [Fact]
    public async Task Of_many_that_begin_at_once_one_runs()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            try
            {
                await Store.CreateAsync(Request("race") with { Seed = $"s{i}" });
                return $"s{i}";
            }
            catch (AlreadyExistsException)
            {
                return null;
            }
        }));

        Assert.Equal((await Store.FindAsync(Some.AccountId, "race"))!.Value.Seed, Assert.Single(results, seed => seed is not null));
    }

    [Fact]
    public async Task Old_rows_of_all_accounts_are_swept_and_young_ones_stay()
    {
        var now = DateTimeOffset.UtcNow;
        await Store.CreateAsync(Request("a") with { StartedAt = now });
        await Store.CreateAsync(Request("b") with { StartedAt = now, AccountId = "user-other" });

        Assert.Equal(0, await Store.DeleteBeforeAsync(now.AddHours(-1)));
        Assert.NotNull(await Store.FindAsync("user-other", "b"));
        Assert.Equal(2, await Store.DeleteBeforeAsync(now.AddHours(1)));
        Assert.Null(await Store.FindAsync("user-other", "b"));
    }

    private static IdempotentRequest Request(string key) => new()
    {
        AccountId = Some.AccountId, Key = key, RequestSha256 = new string('b', 64), Seed = "seed", StartedAt = Some.Moment,
    };
}

public sealed class InMemoryIdempotencyStoreTests : IdempotencyStoreContract
{
    protected override IIdempotencyStore Store { get; } = new InMemoryIdempotencyStore();
}

public sealed class TableIdempotencyStoreTests(AzuriteFixture azurite) : IdempotencyStoreContract
{
    protected override IIdempotencyStore Store { get; } = NewStore(azurite.NewAccount());

    private static TableIdempotencyStore NewStore(StorageClients storage) => new(storage.Table(storage.Names.IdempotencyTable));
}
