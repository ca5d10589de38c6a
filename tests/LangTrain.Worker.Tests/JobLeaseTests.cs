using LangTrain.Contracts.FineTunes;
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

    [Fact]
    public async Task A_question_that_storage_leaves_open_stops_the_training_before_the_lease_runs_out()
    {
        var clock = new ManualTimeProvider();
        var store = new SilentStore(_store);
        await using var lease = new JobLease(store, await RunningAsync(), LeaseTime, clock, NullLogger.Instance);
        var asked = lease.FlushAsync(TestContext.Current.CancellationToken);

        clock.Advance(LeaseTime * 0.8);

        Assert.False(await asked);
        Assert.True(lease.Stopping.IsCancellationRequested && lease.Lost.IsCancellationRequested && lease.GivenUp.IsCancellationRequested);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_stood_still_longer_than_the_lease_asks_the_row_before_writing_anything(bool wasTaken)
    {
        var clock = new ManualTimeProvider();
        var row = await RunningAsync();
        await using var lease = new JobLease(_store, row, LeaseTime, clock, NullLogger.Instance, clock.GetTimestamp() - (2 * LeaseTime.Ticks));
        if (wasTaken)
        {
            await _store.UpdateAsync(row, row.Value with { Status = FineTuneStatus.Queued });
        }

        Assert.Equal(!wasTaken, await lease.ConfirmAsync(TestContext.Current.CancellationToken));
        Assert.Equal(wasTaken, lease.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task A_cancel_ends_a_pause_that_still_stores()
    {
        var row = await RunningAsync();
        await using var lease = Lease(row);
        lease.RequestRelease();
        Assert.False(lease.GivenUp.IsCancellationRequested);
        await _store.UpdateAsync(row, row.Value with { Requested = FineTuneControl.Cancel });

        await lease.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(StopReason.Cancelled, lease.Reason);
        Assert.True(lease.GivenUp.IsCancellationRequested && !lease.Lost.IsCancellationRequested);
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

    /// <summary>Rows that are asked for and never come.</summary>
    private sealed class SilentStore(InMemoryFineTuneStore rows) : IFineTuneStore
    {
        public async Task<Versioned<FineTune>?> FindAsync(FineTuneRef job, CancellationToken cancellation = default)
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return null;
        }

        public Task CreateAsync(FineTune job, CancellationToken cancellation = default) => rows.CreateAsync(job, cancellation);

        public Task<Versioned<FineTune>> UpdateAsync(Versioned<FineTune> current, FineTune changed, CancellationToken cancellation = default) => rows.UpdateAsync(current, changed, cancellation);

        public Task<Page<FineTune>> ListAsync(string accountId, PageRequest page, FineTuneStatus? status = null, CancellationToken cancellation = default) => rows.ListAsync(accountId, page, status, cancellation);

        public IAsyncEnumerable<FineTuneRef> ListActiveAsync(CancellationToken cancellation = default) => rows.ListActiveAsync(cancellation);
    }
}
