using LangTrain.AzureAdapters.Tables;
using LangTrain.Core;
using LangTrain.Core.Files;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IFileStore"/> does.</summary>
public abstract class FileStoreContract
{
    private readonly string _account = "user-" + Guid.NewGuid().ToString("N");

    protected abstract IFileStore Store { get; }

    [Fact]
    public async Task A_file_is_read_back_once_written_and_deleted_once()
    {
        var file = Some.File(accountId: _account) with { ExpiresAt = Some.Moment.AddDays(1) };
        await Store.CreateAsync(file);

        Assert.Equal(file, await Store.FindAsync(_account, file.Id));
        Assert.Null(await Store.FindAsync("user-other", file.Id));
        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.CreateAsync(file));
        Assert.True(await Store.DeleteAsync(_account, file.Id));
        Assert.False(await Store.DeleteAsync(_account, file.Id));
        Assert.Null(await Store.FindAsync(_account, file.Id));
        Assert.Empty((await Store.ListAsync(_account, new PageRequest())).Items);
        Assert.Empty((await Store.ListAsync(_account, new PageRequest(OldestFirst: true), "fine-tune")).Items);
    }

    [Fact]
    public async Task A_file_is_changed_once_a_version_and_not_after_it_is_gone()
    {
        var file = Some.File(accountId: _account) with { State = FileState.Assembling, BlobName = "", Sha256 = "" };
        await Store.CreateAsync(file);
        var row = (await Store.FindVersionAsync(_account, file.Id))!;
        Assert.Equal(file, row.Value);
        var changed = await Store.UpdateAsync(row, file with { State = FileState.Ready, BlobName = "b" });
        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateAsync(row, file with { State = FileState.Failed }));
        Assert.Equal(changed, await Store.FindVersionAsync(_account, file.Id));
        await Store.DeleteAsync(_account, file.Id);
        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateAsync(changed, file));
        Assert.Null(await Store.FindVersionAsync(_account, file.Id));
    }

    [Fact]
    public async Task A_deletion_at_a_version_fails_when_the_file_was_touched_since()
    {
        var file = Some.File(accountId: _account);
        await Store.CreateAsync(file);
        var before = (await Store.FindVersionAsync(_account, file.Id))!;
        Assert.True(await Store.TouchAsync(_account, file.Id));
        Assert.False(await Store.DeleteAsync(before));
        var after = (await Store.FindVersionAsync(_account, file.Id))!;
        Assert.Equal(file, after.Value);
        Assert.True(await Store.DeleteAsync(after));
        Assert.False(await Store.DeleteAsync(after));
        Assert.False(await Store.TouchAsync(_account, file.Id));
        Assert.Empty((await Store.ListAsync(_account, new PageRequest(OldestFirst: true), file.Purpose)).Items);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_purpose_is_listed_in_pages(bool oldestFirst)
    {
        var clock = new ManualTimeProvider();
        var batch = new List<string>();
        for (var i = 0; i < 12; i++, clock.Advance(TimeSpan.FromMilliseconds(1)))
        {
            // One purpose begins with the other's name.
            var purpose = (i % 3) switch { 0 => "batch", 1 => "batch-output", _ => "fine-tune" };
            var file = Some.File(Ids.New("file", clock), _account) with { Purpose = purpose };
            await Store.CreateAsync(file);
            if (purpose == "batch")
            {
                batch.Add(file.Id);
            }
        }

        var first = await Store.ListAsync(_account, new PageRequest(3, OldestFirst: oldestFirst), "batch");
        // The item that a page is to begin after may have gone.
        await Store.DeleteAsync(_account, first.Items[^1].Id);
        var second = await Store.ListAsync(_account, new PageRequest(3, first.Items[^1].Id, oldestFirst), "batch");

        Assert.Equal((true, false), (first.HasMore, second.HasMore));
        Assert.Equal(oldestFirst ? batch : batch.AsEnumerable().Reverse(), first.Items.Concat(second.Items).Select(f => f.Id));
        Assert.Equal(11, (await Store.ListAsync(_account, new PageRequest(100))).Items.Count);
    }

    [Fact]
    public async Task A_page_may_hold_more_than_storage_gives_at_once()
    {
        const int Files = 1030;
        await Parallel.ForAsync(0, Files, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, stop) => await Store.CreateAsync(Some.File(accountId: _account), stop));

        var all = await Store.ListAsync(_account, new PageRequest(10_000));
        var most = await Store.ListAsync(_account, new PageRequest(Files - 1));

        Assert.Equal((Files, false), (all.Items.DistinctBy(file => file.Id).Count(), all.HasMore));
        Assert.Equal((Files - 1, true), (most.Items.Count, most.HasMore));
    }

    [Fact]
    public async Task Expired_files_of_all_accounts_are_listed_until_they_are_deleted()
    {
        var (early, late, never) = (Some.File(accountId: _account) with { ExpiresAt = Some.Moment.AddHours(1) },
            Some.File(accountId: _account + "2") with { ExpiresAt = Some.Moment.AddHours(2) }, Some.File(accountId: _account));
        foreach (var file in new[] { early, late, never })
        {
            await Store.CreateAsync(file);
        }

        Assert.Empty(await Store.ListExpiredAsync(Some.Moment.AddHours(1)).ToListAsync());
        Assert.Equal([early], await Store.ListExpiredAsync(Some.Moment.AddHours(1.5)).ToListAsync());
        await Store.DeleteAsync(early.AccountId, early.Id);
        Assert.Equal([late], await Store.ListExpiredAsync(Some.Moment.AddDays(1)).ToListAsync());
        Assert.Equal([late], await Store.ListExpiredAsync(Some.Moment.AddDays(1)).ToListAsync());
    }
}

public sealed class InMemoryFileStoreTests : FileStoreContract
{
    protected override IFileStore Store { get; } = new InMemoryFileStore();
}

public sealed class TableFileStoreTests(AzuriteFixture azurite) : FileStoreContract
{
    protected override IFileStore Store { get; } = NewStore(azurite.NewAccount());

    private static TableFileStore NewStore(StorageClients storage) => new(storage.Table(storage.Names.FilesTable));
}
