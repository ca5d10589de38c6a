using LangTrain.Core.Usage;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Usage;

public sealed class UsageRecorderTests
{
    private readonly ManualTimeProvider _clock = new();
    private readonly InMemoryUsageStore _store = new();

    [Fact]
    public async Task Sums_of_two_instances_add_up_however_often_they_are_stored()
    {
        using var a = new UsageRecorder(_store, _clock);
        using var b = new UsageRecorder(_store, _clock);
        for (var i = 0; i < 3; i++)
        {
            a.Add(Some.AccountId, "key-1", "m", new UsageAmounts { Requests = 1, InputTokens = 10 });
            b.Add(Some.AccountId, "key-1", "m", new UsageAmounts { Requests = 1, OutputTokens = 5 });
            await a.FlushAsync();
            await a.FlushAsync();
            await b.FlushAsync();
        }

        _clock.Advance(TimeSpan.FromDays(1));
        a.Add(Some.AccountId, "key-2", null, new UsageAmounts { Requests = 1 });
        await a.FlushAsync();
        var summary = await new SummarizeUsage(_store, _clock).ExecuteAsync(Some.AccountId, name => name == "group_by" ? "key" : null);
        Assert.Equal((7, 30, 15), (summary.Total.Requests, summary.Total.InputTokens, summary.Total.OutputTokens));
        Assert.Equal(["key-1", "key-2"], summary.Data.Select(group => group.Group));
    }

    [Fact]
    public async Task What_could_not_be_stored_is_stored_later()
    {
        var store = new FailingOnce(_store);
        using var usage = new UsageRecorder(store, _clock);
        usage.Add(Some.AccountId, "key-1", null, new UsageAmounts { Requests = 1 });
        await Assert.ThrowsAsync<IOException>(() => usage.FlushAsync());
        await usage.FlushAsync();
        Assert.Equal(1, (await new SummarizeUsage(_store, _clock).ExecuteAsync(Some.AccountId, _ => null)).Total.Requests);
    }

    private sealed class FailingOnce(IUsageStore inner) : IUsageStore
    {
        private bool _failed;

        public Task PutAsync(IReadOnlyList<UsageRow> rows, CancellationToken cancellation = default)
        {
            if (_failed)
            {
                return inner.PutAsync(rows, cancellation);
            }

            _failed = true;
            throw new IOException("storage is away");
        }

        public IAsyncEnumerable<UsageRow> ListAsync(string accountId, DateOnly from, DateOnly to, CancellationToken cancellation = default) =>
            inner.ListAsync(accountId, from, to, cancellation);
    }
}
