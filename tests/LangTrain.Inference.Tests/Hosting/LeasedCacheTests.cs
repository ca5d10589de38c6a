using LangTrain.Inference.Hosting;

namespace LangTrain.Inference.Tests.Hosting;

public class LeasedCacheTests
{
    private readonly List<string> _loaded = [];
    private readonly List<string> _gone = [];
    private readonly List<string> _events = [];

    [Fact]
    public async Task Many_who_ask_at_once_share_one_load()
    {
        await using var cache = Cache(100);
        var gate = new TaskCompletionSource();
        var asking = Enumerable.Range(0, 5).Select(_ => cache.AcquireAsync("a", async () =>
        {
            await gate.Task;
            return Load("a");
        }, default)).ToList();
        gate.SetResult();
        var leases = await Task.WhenAll(asking);
        Assert.Equal(["a"], _loaded);
        Assert.Single(leases.Select(l => l.Value).Distinct());
        Assert.Equal(["miss", "hit", "hit", "hit", "hit"], _events);
    }

    [Fact]
    public async Task The_least_recently_used_goes_first_and_what_is_held_stays()
    {
        await using var cache = Cache(3);
        await using var held = await AcquireAsync(cache, "a");
        foreach (var key in new[] { "b", "c", "b", "d", "e" })
            await (await AcquireAsync(cache, key)).DisposeAsync();
        Assert.Equal(["c", "b"], _gone);
        Assert.Equal(["a", "b", "c", "d", "e"], _loaded);
    }

    [Fact]
    public async Task More_than_the_budget_in_use_is_refused_and_forgotten()
    {
        await using var cache = Cache(2);
        await using var a = await AcquireAsync(cache, "a");
        await using var b = await AcquireAsync(cache, "b");
        await Assert.ThrowsAsync<ServingMemoryException>(() => AcquireAsync(cache, "c"));
        Assert.Equal(["c"], _gone);
        await b.DisposeAsync();
        await using var c = await AcquireAsync(cache, "c");
        Assert.Equal(["c", "b"], _gone);
    }

    [Fact]
    public async Task Room_is_made_before_a_value_of_known_size_is_loaded()
    {
        await using var cache = Cache(3);
        await (await AcquireAsync(cache, "a")).DisposeAsync();
        await using var b = await AcquireAsync(cache, "b");
        var goneAtLoad = new List<string>();
        await using (await cache.AcquireAsync("c", () =>
        {
            goneAtLoad.AddRange(_gone);
            return Task.FromResult(Load("c"));
        }, default, () => 2))
        {
            Assert.Equal(["a"], goneAtLoad);
        }
        // What would not fit is not loaded at all, and nobody who is served suffers.
        await Assert.ThrowsAsync<ServingMemoryException>(() => cache.AcquireAsync("d", () => Task.FromResult(Load("d")), default, () => 3));
        Assert.Equal(["a", "b", "c"], _loaded);
        await using var again = await AcquireAsync(cache, "b");
        Assert.Equal(["a", "b", "c"], _loaded);
    }

    [Fact]
    public async Task A_failed_load_is_tried_again()
    {
        await using var cache = Cache(2);
        await Assert.ThrowsAsync<IOException>(() => cache.AcquireAsync("a", () => throw new IOException("gone"), default));
        await using var lease = await AcquireAsync(cache, "a");
        Assert.Equal("a", lease.Value);
    }

    [Fact]
    public async Task A_waiter_that_goes_away_leaves_the_load_to_the_others()
    {
        await using var cache = Cache(2);
        var gate = new TaskCompletionSource();
        async Task<string> LoadAsync()
        {
            await gate.Task;
            return Load("a");
        }
        using var cancel = new CancellationTokenSource();
        var leaving = cache.AcquireAsync("a", LoadAsync, cancel.Token);
        var staying = cache.AcquireAsync("a", LoadAsync, default);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        gate.SetResult();
        Assert.Equal("a", (await staying).Value);
        Assert.Equal(["a"], _loaded);
    }

    [Fact]
    public async Task Closing_lets_go_at_once_what_is_idle_and_later_what_is_held()
    {
        var cache = Cache(5);
        var held = await AcquireAsync(cache, "a");
        await (await AcquireAsync(cache, "b")).DisposeAsync();
        await cache.DisposeAsync();
        Assert.Equal(["b"], _gone);
        await held.DisposeAsync();
        Assert.Equal(["b", "a"], _gone);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => AcquireAsync(cache, "a"));
    }

    private LeasedCache<string> Cache(long budget) => new(budget, _ => 1, value =>
    {
        _gone.Add(value);
        return ValueTask.CompletedTask;
    }, _events.Add);

    private Task<Lease<string>> AcquireAsync(LeasedCache<string> cache, string key) => cache.AcquireAsync(key, () => Task.FromResult(Load(key)), default);

    private string Load(string key)
    {
        _loaded.Add(key);
        return key;
    }
}
