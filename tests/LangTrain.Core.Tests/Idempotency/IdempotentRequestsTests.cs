using LangTrain.Core.Errors;
using LangTrain.Core.Idempotency;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Idempotency;

public sealed class IdempotentRequestsTests
{
    private readonly ManualTimeProvider _clock = new();
    private readonly InMemoryIdempotencyStore _store = new();
    private readonly List<string> _seeds = [];

    [Fact]
    public async Task Same_request_is_run_once_and_replayed()
    {
        var first = await RunAsync();
        var again = await RunAsync();
        Assert.Equal((first.Body, false, true), (again.Body, first.Replayed, again.Replayed));
        Assert.Single(_seeds);
    }

    [Fact]
    public async Task Another_body_is_422_and_a_running_one_409()
    {
        await RunAsync();
        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => RunAsync(body: "other"))).Status);

        var nested = 0;
        await RunAsync(key: "slow", inside: async () => nested = (await Assert.ThrowsAsync<ApiException>(() => RunAsync(key: "slow"))).Status);
        Assert.Equal(409, nested);
    }

    [Fact]
    public async Task Refused_request_may_be_corrected_under_the_same_key()
    {
        await Assert.ThrowsAsync<ApiException>(() => RunAsync(inside: () => throw ApiErrors.Invalid("No.", null)));
        Assert.False((await RunAsync(body: "corrected")).Replayed);
    }

    [Fact]
    public async Task After_a_crash_the_request_runs_again_with_the_same_seed()
    {
        // Whoever ran it never came to an end.
        _ = RunAsync(inside: () => new TaskCompletionSource().Task);
        Assert.Equal(409, (await Assert.ThrowsAsync<ApiException>(() => RunAsync())).Status);
        _clock.Advance(TimeSpan.FromMinutes(6));
        await RunAsync();
        Assert.Equal(2, _seeds.Count);
        Assert.Single(_seeds.Distinct());
    }

    [Fact]
    public async Task After_an_error_of_the_service_the_request_runs_again_at_once_with_the_same_seed()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(inside: () => throw new InvalidOperationException("storage")));
        Assert.False((await RunAsync()).Replayed);
        Assert.Equal(2, _seeds.Count);
        Assert.Single(_seeds.Distinct());
        Assert.True((await RunAsync()).Replayed);
    }

    [Fact]
    public async Task After_a_day_the_key_is_free()
    {
        await RunAsync();
        _clock.Advance(TimeSpan.FromHours(24));
        Assert.False((await RunAsync(body: "other")).Replayed);
        Assert.Equal(2, _seeds.Distinct().Count());
    }

    [Fact]
    public async Task Of_many_at_once_one_runs()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
        {
            try
            {
                return (await RunAsync()).Status;
            }
            catch (ApiException e)
            {
                return e.Status;
            }
        })));
        Assert.Single(_seeds);
        Assert.All(answers, status => Assert.True(status is 200 or 409));
    }

    private Task<IdempotentAnswer> RunAsync(string key = "k", string body = "body", Func<Task>? inside = null) =>
        new IdempotentRequests(_store, _clock).RunAsync(Some.AccountId, key, "POST", "/v1/files", System.Text.Encoding.UTF8.GetBytes(body), async (seed, _) =>
        {
            lock (_seeds)
            {
                _seeds.Add(seed);
            }

            await (inside?.Invoke() ?? Task.CompletedTask);
            return (200, $"{{\"id\":\"{seed}\"}}");
        });
}
