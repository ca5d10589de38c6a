using LangTrain.AzureAdapters.Tables;
using LangTrain.Core.Limits;
using LangTrain.Testing;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IRequestQuotaStore"/> does.</summary>
public abstract class RequestQuotaStoreContract
{
    private static readonly DateTimeOffset Minute = new(2026, 1, 2, 3, 4, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Day = new(2026, 1, 2, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The store as another instance of the service has it.</summary>
    protected abstract IRequestQuotaStore NewInstance();

    [Fact]
    public async Task Instances_that_take_at_once_get_the_limit_and_not_one_more()
    {
        var instances = Enumerable.Range(0, 4).Select(_ => NewInstance()).ToArray();

        var grants = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => instances[i % 4].TakeAsync(Some.AccountId, Demand(want: 3)))));

        Assert.Equal(100, grants.Sum(grant => grant.Granted));
        Assert.Equal(100, grants.Max(grant => grant.MinuteTaken));
        Assert.Equal(0, (await NewInstance().TakeAsync(Some.AccountId, Demand(want: 1))).Granted);
        Assert.Equal(1, (await NewInstance().TakeAsync("user-other", Demand(want: 1))).Granted);
    }

    [Fact]
    public async Task A_new_minute_begins_at_zero_and_the_day_goes_on_with_what_was_given_back()
    {
        var (first, second) = (NewInstance(), NewInstance());
        await first.TakeAsync(Some.AccountId, Demand(want: 100));
        await second.TakeAsync(Some.AccountId, Demand(want: 100));

        var next = await first.TakeAsync(Some.AccountId, Demand(want: 60) with { Minute = Minute.AddMinutes(1), ReturnToDay = 30 });
        var rest = await second.TakeAsync(Some.AccountId, Demand(want: 60) with { Minute = Minute.AddMinutes(1) });

        Assert.Equal(new QuotaGrant(60, 60, 130), next);
        // The day's 150 is the tighter one now.
        Assert.Equal(new QuotaGrant(20, 80, 150), rest);
        Assert.Equal(1, (await first.TakeAsync(Some.AccountId, Demand(want: 1) with { Minute = Minute.AddDays(1), Day = Day.AddDays(1) })).DayTaken);
    }

    [Fact]
    public async Task Twenty_instances_that_are_asked_at_once_let_through_exactly_the_limit_of_each_minute_and_of_the_day()
    {
        var clock = new ManualTimeProvider(Minute.AddSeconds(59));
        var account = Some.Account() with { RequestsPerMinute = 60, RequestsPerDay = 150 };
        var instances = Enumerable.Range(0, 20).Select(_ => new RequestLimiter(NewInstance(), clock)).ToArray();
        var passed = new List<int>();
        for (var minute = 0; minute < 4; minute++)
        {
            var counts = await Task.WhenAll(instances.Select(instance => Task.Run(() => UntilRefusedAsync(instance, account))));
            passed.Add(counts.Sum());
            clock.Advance(TimeSpan.FromMinutes(1));
        }

        // The third minute finds 30 left of the day, the fourth none.
        Assert.Equal([60, 60, 30, 0], passed);
        clock.Advance(TimeSpan.FromDays(1));
        Assert.True((await instances[7].CountAsync(account)).Allowed);
    }

    private static async Task<int> UntilRefusedAsync(RequestLimiter instance, LangTrain.Core.Accounts.Account account)
    {
        for (var count = 0; ; count++)
        {
            var state = await instance.CountAsync(account);
            if (!state.Allowed)
            {
                Assert.Equal(0, state.Remaining);
                return count;
            }
        }
    }

    private static QuotaDemand Demand(long want) => new(Minute, 100, Day, 150, want);
}

public sealed class InMemoryRequestQuotaStoreTests : RequestQuotaStoreContract
{
    private readonly InMemoryRequestQuotaStore _shared = new();

    protected override IRequestQuotaStore NewInstance() => _shared;
}

public sealed class TableRequestQuotaStoreTests(AzuriteFixture azurite) : RequestQuotaStoreContract
{
    private readonly StorageClients _storage = azurite.NewAccount();

    protected override IRequestQuotaStore NewInstance() => new TableRequestQuotaStore(
        _storage.Table(_storage.Names.UsageTable), _storage.TableOnce(_storage.Names.UsageTable));
}
