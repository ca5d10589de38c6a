using LangTrain.Core.Accounts;
using LangTrain.Core.Limits;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Limits;

public sealed class RequestLimiterTests
{
    private readonly ManualTimeProvider _clock = new();
    private readonly InMemoryRequestQuotaStore _store = new();

    [Theory]
    [InlineData("free", 60)]
    [InlineData("pro", 600)]
    public async Task Twenty_instances_together_let_the_limit_through_and_never_more(string tier, int limit)
    {
        var account = Some.Account(tier: tier);
        var instances = Instances(20);
        var passed = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, limit * 4), async (i, stop) =>
        {
            if ((await instances[i % 20].CountAsync(account, stop)).Allowed)
            {
                Interlocked.Increment(ref passed);
            }
        });

        // Each instance asks until it gets nothing, so all blocks are spent: exactly the limit.
        Assert.Equal(limit, passed);
    }

    [Fact]
    public async Task A_new_minute_begins_anew_and_the_day_goes_on()
    {
        var account = Some.Account(tier: "free") with { RequestsPerMinute = 60, RequestsPerDay = 100 };
        var limiter = Instances(1)[0];
        Assert.Equal(60, await PassAsync(limiter, account, 80));
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(40, await PassAsync(limiter, account, 80));
        var refused = await limiter.CountAsync(account);
        Assert.True(refused.DayIsTighter);
        Assert.Equal("daily_quota_exceeded", RequestLimiter.Refusal(refused).Code);
        Assert.True(refused.Reset > TimeSpan.FromHours(1));
        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(60, await PassAsync(limiter, account, 80));
    }

    [Fact]
    public async Task What_a_minute_leaves_of_a_block_is_given_back_to_the_day()
    {
        var account = Some.Account(tier: "free") with { RequestsPerMinute = 60, RequestsPerDay = 100 };
        var limiter = Instances(1)[0];
        for (var minute = 0; minute < 90; minute++)
        {
            Assert.True((await limiter.CountAsync(account)).Allowed, $"minute {minute}");
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(10, await PassAsync(limiter, account, 60));
    }

    [Fact]
    public async Task A_busy_account_costs_far_less_than_one_storage_write_a_request()
    {
        var limiter = Instances(1)[0];
        await PassAsync(limiter, Some.Account(tier: "enterprise"), 10_000);
        Assert.InRange(_store.Takings, 1, 20);
    }

    [Fact]
    public async Task A_used_up_limit_is_refused_without_asking_storage()
    {
        var (limiter, account) = (Instances(1)[0], Some.Account(tier: "free"));
        await PassAsync(limiter, account, 61);
        var before = _store.Takings;
        Assert.Equal(0, await PassAsync(limiter, account, 100));
        Assert.Equal(before, _store.Takings);
    }

    [Fact]
    public async Task Remaining_counts_down_one_by_one()
    {
        var (limiter, account) = (Instances(1)[0], Some.Account(tier: "free"));
        for (var left = 59; left >= 0; left--)
        {
            Assert.Equal(left, (await limiter.CountAsync(account)).Remaining);
        }
    }

    [Fact]
    public void A_clock_that_runs_behind_opens_no_window_twice()
    {
        var now = _clock.GetUtcNow();
        var (later, earlier) = (now.AddMinutes(1), now);
        var (row, _) = QuotaCounters.Take(null, new QuotaDemand(later, 10, now, 100, 10));
        Assert.Equal(0, QuotaCounters.Take(row, new QuotaDemand(earlier, 10, now, 100, 5)).Grant.Granted);
    }

    private RequestLimiter[] Instances(int count) => [.. Enumerable.Range(0, count).Select(_ => new RequestLimiter(_store, _clock))];

    private static async Task<int> PassAsync(RequestLimiter limiter, Account account, int requests)
    {
        var passed = 0;
        for (var i = 0; i < requests; i++)
        {
            passed += (await limiter.CountAsync(account)).Allowed ? 1 : 0;
        }

        return passed;
    }
}
