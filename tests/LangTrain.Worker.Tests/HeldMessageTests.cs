using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Storage;
using LangTrain.Testing;
using LangTrain.Worker.FineTunes;
using Microsoft.Extensions.Logging.Abstractions;

namespace LangTrain.Worker.Tests;

public sealed class HeldMessageTests
{
    private static readonly TimeSpan Visibility = TimeSpan.FromSeconds(60);
    private readonly ManualTimeProvider _time = new();
    private readonly InMemoryWorkQueue<TrainModelWorkItem> _queue;

    public HeldMessageTests() => _queue = new InMemoryWorkQueue<TrainModelWorkItem>(_time);

    [Fact]
    public async Task A_held_message_counts_in_its_queue_out_of_sight_until_its_work_has_ended()
    {
        var receipts = new RenewedQueue(_queue);
        await _queue.SendAsync(new TrainModelWorkItem("user-1", "ftjob-1", 1));
        await using (new HeldMessage<TrainModelWorkItem>(receipts, (await _queue.ReceiveAsync(Visibility))!, Visibility, _time, NullLogger.Instance))
        {
            for (var renewal = 1; renewal <= 6; renewal++)
            {
                _time.Advance(Visibility / 3);
                await receipts.Renewed.WaitAsync(TestContext.Current.CancellationToken);
            }

            Assert.Null(await _queue.ReceiveAsync(Visibility));
            Assert.Single(_queue.Messages);
        }

        Assert.Empty(_queue.Messages);
    }

    [Fact]
    public async Task A_message_whose_time_ran_out_is_left_to_who_has_it()
    {
        await _queue.SendAsync(new TrainModelWorkItem("user-1", "ftjob-1", 1));
        var mine = (await _queue.ReceiveAsync(Visibility))!;
        _time.Advance(Visibility * 2);
        var theirs = await _queue.ReceiveAsync(Visibility);

        await using (new HeldMessage<TrainModelWorkItem>(_queue, mine, Visibility, _time, NullLogger.Instance))
        {
        }

        Assert.NotNull(theirs);
        Assert.Single(_queue.Messages);
    }

    /// <summary>Tells of each renewal.</summary>
    private sealed class RenewedQueue(IWorkQueue<TrainModelWorkItem> queue) : IWorkQueue<TrainModelWorkItem>
    {
        public SemaphoreSlim Renewed { get; } = new(0);

        public Task SendAsync(TrainModelWorkItem message, TimeSpan delay, CancellationToken cancellation) => queue.SendAsync(message, delay, cancellation);

        public Task<ReceivedMessage<TrainModelWorkItem>?> ReceiveAsync(TimeSpan visibility, CancellationToken cancellation) =>
            queue.ReceiveAsync(visibility, cancellation);

        public async Task<ReceivedMessage<TrainModelWorkItem>?> RenewAsync(
            ReceivedMessage<TrainModelWorkItem> message, TimeSpan visibility, CancellationToken cancellation)
        {
            var renewed = await queue.RenewAsync(message, visibility, cancellation);
            Renewed.Release();
            return renewed;
        }

        public Task DeleteAsync(ReceivedMessage<TrainModelWorkItem> message, CancellationToken cancellation) => queue.DeleteAsync(message, cancellation);
    }
}
