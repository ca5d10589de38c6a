using LangTrain.AzureAdapters.Tables;
using LangTrain.Core.Usage;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IUsageStore"/> does.</summary>
public abstract class UsageStoreContract
{
    private static readonly DateOnly Day = new(2026, 2, 28);

    protected abstract IUsageStore Store { get; }

    [Fact]
    public async Task A_sum_written_twice_counts_once_and_sources_stand_side_by_side()
    {
        await Store.PutAsync([Row(requests: 5), Row(requests: 7, source: "run-b"), Row(requests: 6)]);
        await Store.PutAsync([Row(requests: 9)]);

        var rows = await Store.ListAsync(Some.AccountId, Day, Day).ToListAsync();

        Assert.Equal([7, 9], rows.Select(row => row.Amounts.Requests).Order());
        Assert.Equal(Row(requests: 7, source: "run-b"), rows.Single(row => row.Source == "run-b"));
    }

    [Fact]
    public async Task Rows_of_days_outside_and_of_others_are_left_out_and_many_are_all_there()
    {
        var rows = Enumerable.Range(0, 120).Select(i => Row(requests: 1, source: $"run-{i}") with { Day = Day.AddDays(i % 3), ModelId = $"ft:org/m{i % 2}:#?" }).ToList();
        await Store.PutAsync([.. rows, Row(1000) with { AccountId = "user-other" }, Row(1000) with { Day = Day.AddDays(-1) }, Row(1000) with { Day = Day.AddDays(3) }]);

        Assert.Equal(80, await Store.ListAsync(Some.AccountId, Day.AddDays(1), Day.AddDays(2)).CountAsync());
        Assert.Equal(120, (await Store.ListAsync(Some.AccountId, Day, Day.AddDays(2)).ToListAsync()).Sum(row => row.Amounts.Requests));
    }

    private static UsageRow Row(long requests, string source = "run-a") =>
        new(Some.AccountId, Day, "", "org/model", source, new UsageAmounts { Requests = requests, TrainingSeconds = 0.5 });
}

public sealed class InMemoryUsageStoreTests : UsageStoreContract
{
    protected override IUsageStore Store { get; } = new InMemoryUsageStore();
}

public sealed class TableUsageStoreTests(AzuriteFixture azurite) : UsageStoreContract
{
    protected override IUsageStore Store { get; } = NewStore(azurite.NewAccount());

    private static TableUsageStore NewStore(StorageClients storage) => new(storage.Table(storage.Names.UsageTable));
}
