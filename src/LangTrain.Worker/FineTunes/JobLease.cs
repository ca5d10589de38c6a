using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;

namespace LangTrain.Worker.FineTunes;

/// <summary>
/// The right of this worker to train one job, kept by heartbeats: it writes progress and a new expiry to the job's row while the row
/// carries its token, and hears there what the owner asked for.
/// </summary>
/// <remarks>
/// Thread-safe. Rules, so that two workers never both believe they hold a job: the tokens of <see cref="Stopping"/> are set before the lease
/// runs out by this worker's own clock when storage does not answer, or leaves the question open, and at once when the row says otherwise. A
/// process that stood still (a frozen machine) finds its lease run out: what others read is written only after <see cref="ConfirmAsync"/>.
/// </remarks>
internal sealed class JobLease : IAsyncDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1), ShortestAnswer = TimeSpan.FromSeconds(2);

    private readonly IFineTuneStore _store;
    private readonly TimeProvider _time;
    private readonly TimeSpan _leaseTime;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _givenUp = new();
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _beating;
    private Versioned<FineTune> _row;
    private FineTuneProgress _progress;
    private long _goodUntilTimestamp;
    private int _reason;

    /// <summary>Begins the heartbeats of a job that was just claimed.</summary>
    /// <param name="store">Rows.</param>
    /// <param name="claimed">The row as the claim wrote it; its lease is this worker's.</param>
    /// <param name="leaseTime">How long the lease lasts without a heartbeat.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">For lost leases.</param>
    /// <param name="claimedAtTimestamp">The clock's timestamp when the lease on the row began; null is now.</param>
    public JobLease(IFineTuneStore store, Versioned<FineTune> claimed, TimeSpan leaseTime, TimeProvider time, ILogger logger, long? claimedAtTimestamp = null)
    {
        (_store, _row, _leaseTime, _time, _logger) = (store, claimed, leaseTime, time, logger);
        _progress = claimed.Value.Progress;
        Token = claimed.Value.Lease?.Token ?? throw new ArgumentException("The row carries no lease.", nameof(claimed));
        Prolong(claimedAtTimestamp ?? time.GetTimestamp());
        _beating = Task.Run(BeatAsync);
    }

    /// <summary>This claim's fencing token.</summary>
    public long Token { get; }

    /// <summary>The job as last read or written.</summary>
    public FineTune Job => Volatile.Read(ref _row).Value;

    /// <summary>Set when training is to stop, for the reason in <see cref="Reason"/>.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Set when nothing more of this attempt is wanted, not even what is half stored: cancelled, or the lease is lost.</summary>
    public CancellationToken GivenUp => _givenUp.Token;

    /// <summary>Set when the lease is lost.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Why <see cref="Stopping"/> is set.</summary>
    public StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    /// <summary>Takes over the newest progress; the next heartbeat writes it.</summary>
    public void Report(FineTuneProgress progress) => Volatile.Write(ref _progress, progress);

    /// <summary>Asks the training to stop from this side (SIGTERM).</summary>
    public void RequestRelease() => Stop(StopReason.Released);

    /// <summary>Writes the newest progress now; false when the lease is lost.</summary>
    public async Task<bool> FlushAsync(CancellationToken cancellation)
    {
        await BeatOnceAsync(force: true, cancellation);
        return Reason != StopReason.LeaseLost;
    }

    /// <summary>Whether the job is still this worker's; asks the row where the lease has run out by the clock.</summary>
    public async ValueTask<bool> ConfirmAsync(CancellationToken cancellation)
    {
        while (Reason != StopReason.LeaseLost && IsPast(TimeSpan.Zero))
        {
            await BeatOnceAsync(force: true, cancellation);
        }

        return Reason != StopReason.LeaseLost;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _beating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.Dispose();
        _stopping.Dispose();
        _givenUp.Dispose();
        _lost.Dispose();
    }

    private async Task BeatAsync()
    {
        using var timer = new PeriodicTimer(Beat, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_ended.Token))
            {
                await BeatOnceAsync(force: false, _ended.Token);
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The attempt is over.
        }
    }

    /// <summary>Reads the row, hears requests, and writes progress and expiry where a write is due.</summary>
    private async Task BeatOnceAsync(bool force, CancellationToken cancellation)
    {
        // A question that storage leaves open would outlast the lease: then it counts as not answered.
        using var inTime = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var left = TimeSpan.FromSeconds((Volatile.Read(ref _goodUntilTimestamp) - _time.GetTimestamp()) / (double)_time.TimestampFrequency) - (_leaseTime / 4);
        using var limit = _time.CreateTimer(static source => Cancel((CancellationTokenSource)source!), inTime, left > ShortestAnswer ? left : ShortestAnswer, Timeout.InfiniteTimeSpan);
        try
        {
            var row = await _store.FindAsync(Job.Ref(), inTime.Token);
            if (row is null || row.Value.Status != FineTuneStatus.Running || row.Value.Lease?.Token != Token)
            {
                Stop(StopReason.LeaseLost);
                return;
            }

            Volatile.Write(ref _row, row);
            switch (row.Value.Requested)
            {
                case FineTuneControl.Cancel: Stop(StopReason.Cancelled); break;
                case FineTuneControl.Pause: Stop(StopReason.Paused); break;
                default: break;
            }

            var progress = Volatile.Read(ref _progress);
            if (force || IsPast(_leaseTime * (2.0 / 3)) || progress != row.Value.Progress)
            {
                // The lease is reckoned from before the write, as the row has it, however long the write takes.
                var beganAt = _time.GetTimestamp();
                var changed = row.Value with { Progress = progress, Lease = row.Value.Lease with { ExpiresAt = _time.GetUtcNow() + _leaseTime } };
                Volatile.Write(ref _row, await _store.UpdateAsync(row, changed, inTime.Token));
                Prolong(beganAt);
            }
        }
        catch (StaleWriteException)
        {
            // The owner asked for something in between; the next beat reads it.
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            // Storage does not answer. Go on while the lease lasts, but stop a quarter before somebody else may take the job.
            _logger.HeartbeatFailed(failure, Job.Id);
            if (IsPast(_leaseTime / 4))
            {
                Stop(StopReason.LeaseLost);
            }
        }
    }

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The answer came at the last moment.
        }
    }

    /// <summary>Whether less than so much of the lease is left by this worker's clock.</summary>
    private bool IsPast(TimeSpan left) => _time.GetTimestamp() > Volatile.Read(ref _goodUntilTimestamp) - Ticks(left);

    private void Prolong(long fromTimestamp) => Volatile.Write(ref _goodUntilTimestamp, fromTimestamp + Ticks(_leaseTime));

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);

    private void Stop(StopReason reason)
    {
        // The first reason stands, except that a cancel ends a pause too, and that a lost lease outranks all: whoever lost it must not speak for the job any more.
        var before = (StopReason)Interlocked.CompareExchange(ref _reason, (int)reason, (int)StopReason.None);
        if (before != StopReason.None && reason == StopReason.LeaseLost)
        {
            Volatile.Write(ref _reason, (int)reason);
        }
        else if (before is StopReason.Paused or StopReason.Released && reason == StopReason.Cancelled)
        {
            _ = Interlocked.CompareExchange(ref _reason, (int)reason, (int)before);
        }

        _stopping.Cancel();
        if (reason is StopReason.LeaseLost or StopReason.Cancelled)
        {
            _givenUp.Cancel();
        }

        if (reason == StopReason.LeaseLost)
        {
            _lost.Cancel();
        }
    }
}
