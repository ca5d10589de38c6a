using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;
using LangTrain.Testing;
using LangTrain.Worker.FineTunes;
using Microsoft.Extensions.Logging.Abstractions;

namespace LangTrain.Worker.Tests;

public sealed class JobLeaseTests
{
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(30);
    private readonly InMemoryFineTuneStore _store = new();

    [Fact]
    public async Task A_flush_writes_progress_and_a_later_end_of_the_lease()
    {
        var row = await RunningAsync();
        await using var lease = Lease(row);
        lease.Report(row.Value.Progress with { CurrentStep = 7 });

        Assert.True(await lease.FlushAsync(TestContext.Current.CancellationToken));

        var stored = (await _store.FindAsync(row.Value.Ref()))!.Value;
        Assert.Equal(7, stored.Progress.CurrentStep);
        Assert.True(stored.Lease!.ExpiresAt > row.Value.Lease!.ExpiresAt);
    }

    [Theory]
    [InlineData(FineTuneControl.Cancel, nameof(StopReason.Cancelled))]
    [InlineData(FineTuneControl.Pause, nameof(StopReason.Paused))]
    public async Task The_owners_wish_stops_the_training(FineTuneControl wish, string reason)
    {
        var row = await RunningAsync();
        await using var lease = Lease(row);
        await _store.UpdateAsync(row, row.Value with { Requested = wish });

        await lease.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(reason, lease.Reason.ToString());
        Assert.True(lease.Stopping.IsCancellationRequested);
    }

    [Fact]
    public async Task A_lease_that_another_worker_took_is_lost_and_nothing_more_is_written()
    {
        var row = await RunningAsync();
        await using var lease = Lease(row);
        var taken = await _store.UpdateAsync(row, row.Value with { Lease = row.Value.Lease! with { Token = row.Value.Lease.Token + 1 } });
        lease.Report(row.Value.Progress with { CurrentStep = 99 });

        Assert.False(await lease.FlushAsync(TestContext.Current.CancellationToken));

        Assert.Equal(StopReason.LeaseLost, lease.Reason);
        Assert.Equal(taken.Value.Progress, (await _store.FindAsync(row.Value.Ref()))!.Value.Progress);
    }

    [Fact]
    public async Task A_lost_lease_outranks_an_earlier_reason()
    {
        var row = await RunningAsync();
        await using var lease = Lease(row);
        lease.RequestRelease();
        Assert.Equal(StopReason.Released, lease.Reason);
        await _store.UpdateAsync(row, row.Value with { Status = FineTuneStatus.Cancelled });

        await lease.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(StopReason.LeaseLost, lease.Reason);
    }

    private JobLease Lease(Versioned<FineTune> row) => new(_store, row, LeaseTime, TimeProvider.System, NullLogger.Instance);

    private async Task<Versioned<FineTune>> RunningAsync()
    {
        var job = Some.Job() with
        {
            Status = FineTuneStatus.Running,
            Attempt = 1,
            Lease = new FineTuneLease(1, "me", TimeProvider.System.GetUtcNow()),
        };
        await _store.CreateAsync(job);
        return (await _store.FindAsync(job.Ref()))!;
    }
}
