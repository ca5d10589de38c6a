using LangTrain.Contracts;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.Errors;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Storage;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.FineTunes;

/// <summary>A job's life over in-memory ports, with this process dying at every storage write in turn.</summary>
public sealed class FineTuneLifeTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly InMemoryFineTuneStore _store = new();
    private readonly InMemoryJobEventLog _log = new();
    private readonly InMemoryModelStore _models = new();
    private readonly InMemoryBlobStore _blobs = new();
    private readonly InMemoryFileStore _files = new();
    private readonly InMemoryWorkQueue<TrainModelWorkItem> _queue = new(new ManualTimeProvider());
    private readonly RecordingRelay _relay = new();

    [Fact]
    public async Task A_job_completes_once_whichever_write_the_service_dies_at()
    {
        // Writes of one life: counted first, then a life for each with a death before it and one with a death after it.
        var writes = await LiveAsync(Some.Job() with { Status = FineTuneStatus.Validating, Prepared = Prepared }, dieAt: -1, after: false);
        Assert.InRange(writes, 2, 20);
        for (var i = 0; i < writes; i++)
        {
            foreach (var after in new[] { false, true })
            {
                var job = Some.Job() with { Status = FineTuneStatus.Validating, Prepared = Prepared };
                await LiveAsync(job, i, after);

                var row = (await _store.FindAsync(job.Ref()))!.Value;
                Assert.Equal(FineTuneStatus.Completed, row.Status);
                Assert.Equal(1, row.Attempt);
                var told = _log.Of(job.Ref());
                Assert.Equal(["queued", "running", "completed"], told.Where(e => e.Type == "status").Select(e => e.Status));
                Assert.Equal(Enumerable.Range(1, told.Count).Select(n => (long)n), told.Select(e => e.Sequence));
                Assert.NotNull(await _models.FindAsync(job.AccountId, row.FineTunedModelId!));
                Assert.NotNull(await _files.FindAsync(job.AccountId, row.ResultFileId!));
            }
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 5)]
    [InlineData(2, 30)]
    public async Task The_attempt_after_a_failure_waits_the_longer_the_more_there_were(int failures, int seconds)
    {
        var queue = new InMemoryWorkQueue<TrainModelWorkItem>(_time);
        var job = Some.Job() with { Status = FineTuneStatus.Queued, Attempt = failures + 1, Failures = failures };
        await _store.CreateAsync(job);
        await new QueueTraining(new ChangeFineTune(_store, _log, _relay, _time), queue).ExecuteAsync(job.Ref(), failures);
        if (seconds > 0)
        {
            _time.Advance(TimeSpan.FromSeconds(seconds - 1));
            Assert.Null(await queue.ReceiveAsync(TimeSpan.FromMinutes(1)));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.NotNull(await queue.ReceiveAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task A_worker_lost_three_times_ends_the_job()
    {
        var job = Some.Job() with { Status = FineTuneStatus.Queued, Attempt = 1 };
        await _store.CreateAsync(job);
        var change = new ChangeFineTune(_store, _log, _relay, _time);
        for (var failure = 1; failure <= 3; failure++)
        {
            await ClaimAsync(change, job.Ref());
            Assert.Equal(FineTuneStep.Wait, (await Settle(change).ExecuteAsync(job.Ref(), null, failure)).Step);
            _time.Advance(TimeSpan.FromMinutes(1));
            var step = await Settle(change).ExecuteAsync(job.Ref(), null, failure);
            Assert.Equal(failure < 3 ? FineTuneStep.Queue : FineTuneStep.Done, step.Step);
        }

        var row = (await _store.FindAsync(job.Ref()))!.Value;
        Assert.Equal((FineTuneStatus.Failed, "worker_lost"), (row.Status, row.Error!.Code));
    }

    [Fact]
    public async Task A_signal_of_an_older_lease_changes_nothing()
    {
        var job = Some.Job() with { Status = FineTuneStatus.Queued, Attempt = 2, Lease = new FineTuneLease(4, "dead", _time.GetUtcNow()) };
        await _store.CreateAsync(job);
        var change = new ChangeFineTune(_store, _log, _relay, _time);
        await ClaimAsync(change, job.Ref());

        await Settle(change).ExecuteAsync(job.Ref(), Signal(job, FineTuneSignalKind.Failed, attempt: 1, token: 4), 2);

        Assert.Equal(FineTuneStatus.Running, (await _store.FindAsync(job.Ref()))!.Value.Status);
    }

    [Theory]
    [InlineData(FineTuneStatus.Created)]
    [InlineData(FineTuneStatus.Validating)]
    [InlineData(FineTuneStatus.Queued)]
    [InlineData(FineTuneStatus.Paused)]
    public async Task A_job_that_no_worker_holds_is_cancelled_at_once(FineTuneStatus status)
    {
        var job = Some.Job() with { Status = status };
        await _store.CreateAsync(job);

        var cancelled = await new ControlFineTune(new ChangeFineTune(_store, _log, _relay, _time)).ExecuteAsync(job.Ref(), FineTuneControl.Cancel);

        Assert.Equal(FineTuneStatus.Cancelled, cancelled.Status);
    }

    [Fact]
    public async Task An_ended_job_refuses_a_pause_and_somebody_elses_job_is_not_there()
    {
        var job = Some.Job() with { Status = FineTuneStatus.Completed };
        await _store.CreateAsync(job);
        var control = new ControlFineTune(new ChangeFineTune(_store, _log, _relay, _time));

        Assert.Equal(409, (await Assert.ThrowsAsync<ApiException>(() => control.ExecuteAsync(job.Ref(), FineTuneControl.Pause))).Status);
        Assert.Equal(404, (await Assert.ThrowsAsync<ApiException>(
            () => control.ExecuteAsync(new FineTuneRef("user-else", job.Id), FineTuneControl.Cancel))).Status);
    }
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancel_that_was_taken_before_the_end_is_kept_and_leaves_no_model(bool amidRegistering)
    {
        var job = Some.Job() with
        {
            Status = FineTuneStatus.Running, Attempt = 2, Lease = new FineTuneLease(2, "worker", _time.GetUtcNow().AddSeconds(30)),
            Requested = amidRegistering ? FineTuneControl.None : FineTuneControl.Cancel,
        };
        await _store.CreateAsync(job);
        await StoreAsync("models", "1/half.safetensors", "2/manifest.json", "2/adapter_model.safetensors");
        await StoreAsync("checkpoints", "step-8/manifest.json", "step-8/state.json", "step-16/state.json");
        var change = new ChangeFineTune(_store, _log, _relay, _time);
        _store.BeforeWrite = changed =>
        {
            if (changed.Status == FineTuneStatus.Completed)
            {
                _store.BeforeWrite = null;
                var row = _store.FindAsync(job.Ref()).Result!;
                _store.UpdateAsync(row, row.Value with { Requested = FineTuneControl.Cancel }).Wait();
            }
        };

        var outcome = new TrainingOutcome { ArtifactPrefix = $"{job.AccountId}/{job.Id}/2", ArtifactKind = "adapter", Steps = 5, TrainLoss = 0.5 };
        await Settle(change).ExecuteAsync(job.Ref(), Signal(job, FineTuneSignalKind.Succeeded, 2, 2) with { Outcome = outcome }, 2);
        var ended = (await _store.FindAsync(job.Ref()))!.Value;
        Assert.Equal(FineTuneStatus.Cancelled, ended.Status);
        await Tidy().ExecuteAsync(ended);
        Assert.Null(await _models.FindAsync(job.AccountId, RegisterFineTunedModel.IdOf(job)));
        Assert.Empty(await StoredAsync("models"));
        Assert.Equal(["step-8/manifest.json", "step-8/state.json"], await StoredAsync("checkpoints"));

        async Task StoreAsync(string container, params string[] blobs)
        {
            foreach (var blob in blobs)
            {
                await _blobs.WriteAsync(container, $"{job.AccountId}/{job.Id}/{blob}", new MemoryStream([1]));
            }
        }

        async Task<IEnumerable<string>> StoredAsync(string container) =>
            (await _blobs.ListAsync(container, $"{job.AccountId}/{job.Id}/").ToListAsync()).Select(blob => blob.Name[$"{job.AccountId}/{job.Id}/".Length..]);
    }

    [Fact]
    public async Task Of_several_attempts_results_the_one_that_counts_stays()
    {
        var job = Some.Job() with { Status = FineTuneStatus.Completed, Lease = new FineTuneLease(2, "worker", _time.GetUtcNow()) };
        job = job with { Outcome = new TrainingOutcome { ArtifactPrefix = $"{job.AccountId}/{job.Id}/2", ArtifactKind = "adapter", Steps = 5, TrainLoss = 0.5 } };
        foreach (var name in new[] { "1/manifest.json", "2/manifest.json", "2/adapter_model.safetensors", "22/late" })
        {
            await _blobs.WriteAsync("models", $"{job.AccountId}/{job.Id}/{name}", new MemoryStream([1]));
        }

        await Tidy().ExecuteAsync(job);

        Assert.Equal(2, await _blobs.ListAsync("models", $"{job.AccountId}/{job.Id}/2/").CountAsync());
        Assert.Equal(2, await _blobs.ListAsync("models", $"{job.AccountId}/{job.Id}/").CountAsync());
    }

    private TidyFineTune Tidy() => new(_blobs, _models, new StorageNames());

    private static PreparedDataset Prepared { get; } = new("a/b/train.jsonl", null, "chat", 3, 0, 100, "00", []);

    /// <summary>Runs a job from checked data to its model, restarting as an orchestration's retries do after a death.</summary>
    /// <returns>Writes of rows that there were.</returns>
    private async Task<int> LiveAsync(FineTune job, int dieAt, bool after)
    {
        await _store.CreateAsync(job);
        await _blobs.WriteAsync(new StorageNames().ModelsContainer, $"{job.AccountId}/{job.Id}/1/manifest.json", new MemoryStream([1]));
        var writes = 0;
        void Die(bool isAfter)
        {
            if (isAfter == after && writes == dieAt)
            {
                writes++;
                throw new IOException("killed");
            }

            writes += isAfter == after ? 1 : 0;
        }

        _store.BeforeWrite = _ => Die(false);
        _store.AfterWrite = _ => Die(true);
        await UntilAliveAsync(async change => await new QueueTraining(change, _queue).ExecuteAsync(job.Ref(), 0));
        await UntilAliveAsync(change => ClaimAsync(change, job.Ref()));
        var outcome = new TrainingOutcome { ArtifactPrefix = $"{job.AccountId}/{job.Id}/1", ArtifactKind = "adapter", Steps = 5, TrainLoss = 0.5 };
        await UntilAliveAsync(async change => await Settle(change).ExecuteAsync(
            job.Ref(), Signal(job, FineTuneSignalKind.Succeeded, 1, 1) with { Outcome = outcome }, 1));
        (_store.BeforeWrite, _store.AfterWrite) = (null, null);
        return writes;
    }

    // A new process knows nothing of the old one but what is stored.
    private async Task UntilAliveAsync(Func<ChangeFineTune, Task> step)
    {
        for (var life = 0; life < 3; life++)
        {
            try
            {
                await step(new ChangeFineTune(_store, _log, _relay, _time));
                return;
            }
            catch (IOException)
            {
                // Died; the next life begins.
            }
        }

        throw new InvalidOperationException("It died more often than it was killed.");
    }

    private Task<Versioned<FineTune>?> ClaimAsync(ChangeFineTune change, FineTuneRef job) => change.ExecuteAsync(job, (FineTune row) => row.Status != FineTuneStatus.Queued ? null : row with
    {
        Status = FineTuneStatus.Running,
        Lease = new FineTuneLease((row.Lease?.Token ?? 0) + 1, "worker", _time.GetUtcNow().AddSeconds(30)),
    });

    private SettleFineTune Settle(ChangeFineTune change) => new(
        change, _store, new RegisterFineTunedModel(_models, _blobs, new StorageNames(), _time), new WriteResultFile(_log, _files, _blobs, new StorageNames(), _time),
        new FineTuneOptions(), _time);

    private static FineTuneSignal Signal(FineTune job, FineTuneSignalKind kind, int attempt, long token) =>
        new() { AccountId = job.AccountId, JobId = job.Id, Kind = kind, Attempt = attempt, LeaseToken = token };
}
