using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using LangTrain.AzureAdapters.Tables;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests.Tables;

public sealed class TableFineTuneStoreTests : FineTuneStoreContract
{
    private readonly ManualTimeProvider _time = new();
    private readonly LazyResource<TableClient> _table;
    private readonly TableFineTuneStore _store;
    private readonly string _connection;

    public TableFineTuneStoreTests(AzuriteFixture azurite)
    {
        _connection = azurite.ConnectionString;
        var storage = azurite.NewAccount();
        _table = storage.Table(storage.Names.JobsTable);
        _store = new TableFineTuneStore(_table, _time);
    }

    protected override IFineTuneStore Store => _store;

    [Fact]
    public async Task A_job_that_ended_without_losing_its_mark_leaves_the_active_ones_by_itself()
    {
        // The process died between the last write of the row and the removal of the mark.
        var job = Some.Job();
        await _store.CreateAsync(job);
        var mark = await SingleMarkAsync();
        await _store.UpdateAsync((await _store.FindAsync(job.Ref()))!, job with { Status = FineTuneStatus.Failed });
        await _table.Unchecked.UpsertEntityAsync(mark);

        Assert.Equal([job.Ref()], await _store.ListActiveAsync().ToListAsync());
        _time.Advance(TimeSpan.FromMinutes(20));
        Assert.Empty(await _store.ListActiveAsync().ToListAsync());
        Assert.Empty(await MarksAsync());
    }

    [Fact]
    public async Task A_mark_whose_job_was_never_written_goes_away_and_a_late_creation_brings_it_back()
    {
        var job = Some.Job();
        await _store.CreateAsync(job);
        await _table.Unchecked.SubmitTransactionAsync(await RowsOfAsync(job.AccountId).Select(row => new TableTransactionAction(TableTransactionActionType.Delete, row)).ToListAsync());

        _time.Advance(TimeSpan.FromMinutes(20));
        Assert.Empty(await _store.ListActiveAsync().ToListAsync());
        await _store.CreateAsync(job);
        Assert.Equal([job.Ref()], await _store.ListActiveAsync().ToListAsync());
    }

    [Fact]
    public async Task A_change_of_status_heals_index_rows_that_are_missing()
    {
        var job = Some.Job();
        await _store.CreateAsync(job);
        await foreach (var index in RowsOfAsync(job.AccountId).Where(row => !row.RowKey.StartsWith("r-", StringComparison.Ordinal)))
        {
            await _table.Unchecked.DeleteEntityAsync(index);
        }

        await _store.UpdateAsync((await _store.FindAsync(job.Ref()))!, job with { Status = FineTuneStatus.Validating });

        Assert.Single((await _store.ListAsync(job.AccountId, new PageRequest(), FineTuneStatus.Validating)).Items);
        Assert.Empty((await _store.ListAsync(job.AccountId, new PageRequest(), FineTuneStatus.Created)).Items);
    }

    [Fact]
    public async Task A_large_job_is_cut_over_several_properties_and_a_too_large_one_is_refused_with_its_size()
    {
        var job = Some.Job() with { Metadata = new Dictionary<string, string> { ["big"] = new('x', 200_000), ["unicode"] = string.Concat(Enumerable.Repeat("🙂", 10_000)) } };
        await _store.CreateAsync(job);

        Assert.Equal(job.Metadata, (await _store.FindAsync(job.Ref()))!.Value.Metadata);
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() =>
            _store.CreateAsync(Some.Job() with { Metadata = new Dictionary<string, string> { ["big"] = new('x', 600_000) } }));
        Assert.Contains("does not fit into a table row", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, null, 1)]
    [InlineData(true, null, 1 + 21)]
    [InlineData(false, FineTuneStatus.Created, 1 + 21)]
    public async Task A_page_among_many_jobs_costs_a_page(bool oldestFirst, FineTuneStatus? status, int requests)
    {
        var account = "user-" + Guid.NewGuid().ToString("N");
        await Parallel.ForAsync(0, 120, async (_, stop) => await _store.CreateAsync(Some.Job(accountId: account), stop));
        var after = (await _store.ListAsync(account, new PageRequest(80, OldestFirst: oldestFirst), status)).Items[^1].Id;
        var counted = new CountingPolicy();
        var options = new TableClientOptions();
        options.AddPolicy(counted, HttpPipelinePosition.PerCall);
        var store = new TableFineTuneStore(
            new LazyResource<TableClient>(new TableClient(_connection, _table.Unchecked.Name, options), _ => Task.CompletedTask), _time);

        var page = await store.ListAsync(account, new PageRequest(20, after, oldestFirst), status);

        Assert.Equal((20, true, requests), (page.Items.Count, page.HasMore, counted.Requests));
    }

    private async Task<TableEntity> SingleMarkAsync() => Assert.Single(await MarksAsync());

    private async Task<List<TableEntity>> MarksAsync() => await _table.Unchecked.QueryAsync<TableEntity>("PartitionKey eq 'active'").ToListAsync();

    private Azure.AsyncPageable<TableEntity> RowsOfAsync(string account) =>
        _table.Unchecked.QueryAsync<TableEntity>($"PartitionKey eq '{TableKeys.Owner(account)}'");

    private sealed class CountingPolicy : HttpPipelineSynchronousPolicy
    {
        private int _requests;

        public int Requests => _requests;

        public override void OnSendingRequest(HttpMessage message) => Interlocked.Increment(ref _requests);
    }
}
