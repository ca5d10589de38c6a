using System.Text;
using Azure.Storage.Queues;
using LangTrain.AzureAdapters.Queues;
using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Storage;
using LangTrain.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace LangTrain.AzureAdapters.Tests;

/// <summary>What every <see cref="IWorkQueue{T}"/> does.</summary>
public abstract class WorkQueueContract
{
    protected const int MaxDequeueCount = 2;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    protected abstract IWorkQueue<TrainModelWorkItem> Queue { get; }

    protected abstract Task PassAsync(TimeSpan time);

    protected abstract Task<IReadOnlyList<TrainModelWorkItem>> PoisonAsync();

    [Fact]
    public async Task A_message_is_received_once_and_is_gone_when_deleted()
    {
        Assert.Null(await Queue.ReceiveAsync(Minute));
        await Queue.SendAsync(new TrainModelWorkItem("user-1", "ftjob-ü", 3));

        var received = (await Queue.ReceiveAsync(Minute))!;

        Assert.Equal((new TrainModelWorkItem("user-1", "ftjob-ü", 3), 1L), (received.Value, received.DequeueCount));
        Assert.Null(await Queue.ReceiveAsync(Minute));
        await Queue.DeleteAsync(received);
        await Queue.DeleteAsync(received);
    }

    [Fact]
    public async Task What_is_not_deleted_comes_again_and_an_old_receipt_deletes_nothing()
    {
        await Queue.SendAsync(new TrainModelWorkItem("user-1", "ftjob-1", 1));
        var first = (await Queue.ReceiveAsync(TimeSpan.FromSeconds(1)))!;
        await PassAsync(TimeSpan.FromSeconds(1.1));
        var second = (await Queue.ReceiveAsync(TimeSpan.FromSeconds(1)))!;
        await Queue.DeleteAsync(first);

        Assert.Equal(2, second.DequeueCount);
        await PassAsync(TimeSpan.FromSeconds(1.1));
        // It has come twice, which is the most here.
        Assert.Null(await Queue.ReceiveAsync(Minute));
        Assert.Equal([first.Value], await PoisonAsync());
    }

    [Fact]
    public async Task A_renewed_message_stays_out_of_sight_with_what_it_says_and_only_its_new_receipt_counts()
    {
        await Queue.SendAsync(new TrainModelWorkItem("user-1", "ftjob-1", 1));
        var first = (await Queue.ReceiveAsync(TimeSpan.FromSeconds(1)))!;

        var renewed = (await Queue.RenewAsync(first, TimeSpan.FromSeconds(2)))!;
        await PassAsync(TimeSpan.FromSeconds(1.1));

        Assert.Null(await Queue.ReceiveAsync(Minute));
        Assert.Null(await Queue.RenewAsync(first, Minute));
        await PassAsync(TimeSpan.FromSeconds(1.1));
        Assert.Equal(first.Value, (await Queue.ReceiveAsync(Minute))!.Value);
        Assert.Null(await Queue.RenewAsync(renewed, Minute));
    }

    [Fact]
    public async Task A_delayed_message_comes_after_its_delay()
    {
        await Queue.SendAsync(new TrainModelWorkItem("user-1", "ftjob-1", 1), TimeSpan.FromSeconds(1));

        Assert.Null(await Queue.ReceiveAsync(Minute));
        await PassAsync(TimeSpan.FromSeconds(1.1));
        Assert.NotNull(await Queue.ReceiveAsync(Minute));
    }
}

public sealed class InMemoryWorkQueueTests : WorkQueueContract
{
    private readonly ManualTimeProvider _time = new();
    private readonly InMemoryWorkQueue<TrainModelWorkItem> _queue;

    public InMemoryWorkQueueTests() => _queue = new InMemoryWorkQueue<TrainModelWorkItem>(_time, MaxDequeueCount);

    protected override IWorkQueue<TrainModelWorkItem> Queue => _queue;

    protected override Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    protected override Task<IReadOnlyList<TrainModelWorkItem>> PoisonAsync() => Task.FromResult(_queue.Poison);
}

public sealed class StorageWorkQueueTests : WorkQueueContract
{
    private readonly QueueClient _raw;
    private readonly QueueClient _rawPoison;
    private readonly StorageWorkQueue<TrainModelWorkItem> _poison;

    public StorageWorkQueueTests(AzuriteFixture azurite)
    {
        var prefix = AzuriteStorage.Prefix();
        var storage = new StorageClients(new AzureAdaptersOptions
        {
            StorageConnectionString = azurite.ConnectionString, NamePrefix = prefix, MaxDequeueCount = MaxDequeueCount,
        });
        var name = storage.Names.TrainingJobsQueue;
        Queue = storage.Queue(name, LangTrainJson.Default.TrainModelWorkItem, NullLogger.Instance);
        _poison = storage.Queue(name + "-poison", LangTrainJson.Default.TrainModelWorkItem, NullLogger.Instance);
        var service = new QueueServiceClient(azurite.ConnectionString);
        (_raw, _rawPoison) = (service.GetQueueClient(name), service.GetQueueClient(name + "-poison"));
    }

    protected override IWorkQueue<TrainModelWorkItem> Queue { get; }

    [Fact]
    public async Task The_message_is_base_64_of_json_as_a_queue_trigger_reads_it()
    {
        await Queue.SendAsync(new TrainModelWorkItem("user-1", "ftjob-1", 1));

        var text = (await _raw.PeekMessageAsync()).Value.Body.ToString();

        Assert.Equal("""{"account_id":"user-1","job_id":"ftjob-1","attempt":1}""", Encoding.UTF8.GetString(Convert.FromBase64String(text)));
    }

    [Fact]
    public async Task What_cannot_be_read_goes_to_the_poison_queue_as_it_is_and_stops_nobody()
    {
        await _raw.CreateIfNotExistsAsync();
        await _raw.SendMessageAsync("not json, not base 64");
        await _raw.SendMessageAsync(Convert.ToBase64String("{\"attempt\":\"many\"}"u8));
        await _raw.SendMessageAsync("""{"account_id":"user-1","job_id":"by-hand","attempt":1}""");

        Assert.Equal("by-hand", (await Queue.ReceiveAsync(TimeSpan.FromMinutes(1)))!.Value.JobId);
        Assert.Equal(2, (await _rawPoison.PeekMessagesAsync(10)).Value.Length);
    }

    [Fact]
    public async Task A_message_that_is_too_large_says_so()
    {
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => Queue.SendAsync(new TrainModelWorkItem("user-1", new string('x', 60_000), 1)));

        Assert.Contains("does not fit into a queue message", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_queue_is_made_once_though_many_begin_at_once()
    {
        await Task.WhenAll(Enumerable.Range(1, 10).Select(i => Queue.SendAsync(new TrainModelWorkItem("user-1", "ftjob-1", i))));

        Assert.Equal(10, (await _raw.GetPropertiesAsync()).Value.ApproximateMessagesCount);
    }

    // Storage has its own clock.
    protected override Task PassAsync(TimeSpan time) => Task.Delay(time + TimeSpan.FromMilliseconds(200));

    protected override async Task<IReadOnlyList<TrainModelWorkItem>> PoisonAsync() =>
        await _poison.ReceiveAsync(TimeSpan.FromMinutes(1)) is { } message ? [message.Value] : [];
}
