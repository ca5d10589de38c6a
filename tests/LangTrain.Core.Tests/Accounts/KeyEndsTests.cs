using LangTrain.Contracts.Accounts;
using LangTrain.Core.Accounts;
using LangTrain.Core.Http;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Accounts;

public sealed class KeyEndsTests
{
    private readonly ManualTimeProvider _clock = new();
    private readonly InMemoryAccountStore _accounts = new();
    private readonly RecordingRelay _relay = new();
    private readonly InMemoryWorkQueue<EndKeyWorkItem> _queue;
    private readonly KeyEnds _ends;
    private readonly ApiKeys _keys;

    public KeyEndsTests()
    {
        _queue = new InMemoryWorkQueue<EndKeyWorkItem>(_clock);
        _ends = new KeyEnds(_accounts, _queue, _relay, _clock);
        _keys = new ApiKeys(_accounts, _relay, _ends, _clock);
    }

    [Fact]
    public async Task Connections_of_a_key_that_expires_are_closed_then_and_not_before()
    {
        var key = (await CreateAsync("""{"expires_in_days":1}""")).Key;
        await PassAsync(TimeSpan.FromDays(1) - TimeSpan.FromSeconds(1));
        Assert.Empty(_relay.Disconnected);
        await PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal([$"{Some.AccountId}/{key.Id}"], _relay.Disconnected);
        Assert.Empty(_queue.Messages);
    }

    [Fact]
    public async Task Connections_of_a_rotated_key_are_closed_when_its_time_beside_its_successor_is_over()
    {
        var old = (await CreateAsync("{}")).Key;
        await _keys.RotateAsync(Caller(), old.Id, JsonBody.Parse("""{"grace_seconds":60}"""u8), "seed", null);
        await PassAsync(TimeSpan.FromSeconds(59));
        Assert.Empty(_relay.Disconnected);
        await PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal([$"{Some.AccountId}/{old.Id}"], _relay.Disconnected);
        Assert.Empty(_queue.Messages);
    }

    [Fact]
    public async Task A_message_that_comes_early_is_put_off_and_one_about_a_key_without_an_end_is_dropped()
    {
        var expiring = (await CreateAsync("""{"expires_in_days":30}""")).Key;
        var lasting = (await CreateAsync("{}")).Key;
        // A queue gives everything back after a week; the other is of a request that died before it wrote the key's row.
        await _ends.ExecuteAsync(new EndKeyWorkItem(Some.AccountId, expiring.Id));
        await _ends.ExecuteAsync(new EndKeyWorkItem(Some.AccountId, lasting.Id));
        Assert.Empty(_relay.Disconnected);
        Assert.Equal(2, _queue.Messages.Count(item => item.KeyId == expiring.Id));
        Assert.DoesNotContain(_queue.Messages, item => item.KeyId == lasting.Id);
    }

    private static Caller Caller() => new(Some.Account(), Some.Key(new string('0', 64)), "req-1");

    private Task<NewApiKey> CreateAsync(string body) => _keys.CreateAsync(Caller(), JsonBody.Parse(System.Text.Encoding.UTF8.GetBytes(body)), Guid.NewGuid().ToString("N"), null);

    private async Task PassAsync(TimeSpan time)
    {
        _clock.Advance(time);
        while (await _queue.ReceiveAsync(TimeSpan.FromMinutes(1)) is { } message)
        {
            await _ends.ExecuteAsync(message.Value);
            await _queue.DeleteAsync(message);
        }
    }
}
