using LangTrain.AzureAdapters.Tables;
using LangTrain.Contracts.Batches;
using LangTrain.Core;
using LangTrain.Core.Batches;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IBatchStore"/> does.</summary>
public abstract class BatchStoreContract
{
    protected abstract IBatchStore Store { get; }

    [Fact]
    public async Task A_batch_is_read_back_as_it_was_written()
    {
        var batch = Some.Batch() with
        {
            Metadata = new Dictionary<string, string> { ["team"] = "a" },
            OutputLifetime = TimeSpan.FromHours(5),
            Problems = [new BatchProblem("invalid_json_line", "No.", null, 3)],
            Ended = new BatchTally(1, 2, 3, 4),
        };
        await Store.CreateAsync(batch);

        var found = (await Store.FindAsync(batch.Ref()))!.Value;

        Assert.Equal(batch, found with { Metadata = batch.Metadata, Problems = batch.Problems });
        Assert.Equal(batch.Metadata, found.Metadata);
        Assert.Equal(batch.Problems, found.Problems);
        Assert.Null(await Store.FindAsync(new BatchRef("user-other", batch.Id)));
        await Assert.ThrowsAsync<AlreadyExistsException>(() => Store.CreateAsync(batch));
    }

    [Fact]
    public async Task Of_two_writers_of_one_version_the_second_is_refused()
    {
        var batch = Some.Batch();
        await Store.CreateAsync(batch);
        var read = (await Store.FindAsync(batch.Ref()))!;
        var written = await Store.UpdateAsync(read, batch with { Total = 1 });

        await Assert.ThrowsAsync<StaleWriteException>(() => Store.UpdateAsync(read, batch with { Total = 2 }));
        await Store.UpdateAsync(written, batch with { Total = 3, Status = BatchStatus.InProgress });
        Assert.Equal((3, BatchStatus.InProgress), ((await Store.FindAsync(batch.Ref()))!.Value.Total, (await Store.FindAsync(batch.Ref()))!.Value.Status));
    }

    [Fact]
    public async Task Only_what_has_not_ended_is_active_and_pages_hold_all()
    {
        var account = "user-" + Guid.NewGuid().ToString("N");
        var clock = new ManualTimeProvider();
        var ids = new List<string>();
        for (var i = 0; i < 5; i++, clock.Advance(TimeSpan.FromMilliseconds(1)))
        {
            ids.Add(Ids.New("batch", clock));
            await Store.CreateAsync(Some.Batch(ids[^1], account));
        }

        var ended = (await Store.FindAsync(new BatchRef(account, ids[2])))!;
        await Store.UpdateAsync(ended, ended.Value with { Status = BatchStatus.Completed });

        var active = new List<string>();
        await foreach (var found in Store.ListActiveAsync())
        {
            if (found.AccountId == account)
            {
                active.Add(found.BatchId);
            }
        }

        Assert.Equal(ids.Where(id => id != ids[2]).Order(), active.Order());
        var first = await Store.ListAsync(account, new PageRequest(3, null, false));
        var second = await Store.ListAsync(account, new PageRequest(3, first.Items[^1].Id, false));
        Assert.Equal((true, false), (first.HasMore, second.HasMore));
        Assert.Equal(Enumerable.Reverse(ids), first.Items.Concat(second.Items).Select(batch => batch.Id));
    }
}

public sealed class InMemoryBatchStoreTests : BatchStoreContract
{
    protected override IBatchStore Store { get; } = new InMemoryBatchStore();
}

public sealed class TableBatchStoreTests(AzuriteFixture azurite) : BatchStoreContract
{
    protected override IBatchStore Store { get; } = NewStore(azurite.NewAccount());

    private static TableBatchStore NewStore(StorageClients storage) => new(storage.Table(storage.Names.BatchesTable), TimeProvider.System);
}
