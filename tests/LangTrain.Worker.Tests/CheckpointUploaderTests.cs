using System.Security.Cryptography;
using LangTrain.Contracts;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models;
using LangTrain.Core.Storage;
using LangTrain.Testing;
using LangTrain.Training.Observation;
using LangTrain.Worker.FineTunes;
using Microsoft.Extensions.Logging.Abstractions;

namespace LangTrain.Worker.Tests;

/// <summary>Checkpoints on their way to storage and back, over in-memory ports.</summary>
public sealed class CheckpointUploaderTests : IDisposable
{
    private const string Container = "checkpoints";
    private readonly string _local = Directory.CreateTempSubdirectory("uploads").FullName;
    private readonly InMemoryFineTuneStore _store = new();
    private readonly InMemoryJobEventLog _log = new();
    private readonly InMemoryBlobStore _blobs = new();
    private readonly FineTune _job = Some.Job() with
    {
        Status = FineTuneStatus.Running, Attempt = 1, Lease = new FineTuneLease(3, "worker-a", DateTimeOffset.UtcNow + TimeSpan.FromHours(1)),
    };

    [Fact]
    public async Task The_newest_two_and_the_best_are_kept_over_attempts()
    {
        await RunAsync(async uploader =>
        {
            foreach (var (step, isBest) in new[] { (1, true), (2, false), (3, false) })
            {
                await StoreAsync(uploader, step, isBest, best: 1);
            }
        });
        Assert.Equal(["step-1", "step-2", "step-3"], await StoredAsync());

        // Another worker goes on: it finds the newest and, for the end of the run, the best.
        var scratch = Path.Combine(_local, "scratch");
        await RunAsync(async uploader =>
        {
            Assert.Equal(3, await uploader.FetchNewestAsync(scratch, int.MaxValue, TestContext.Current.CancellationToken));
            Assert.Equal(["step-1", "step-3"], Directory.GetDirectories(scratch).Select(Path.GetFileName).Where(n => n![0] != '.').Order(StringComparer.Ordinal));
            await StoreAsync(uploader, 4, isBest: false, best: 1);
        });
        Assert.Equal(["step-1", "step-3", "step-4"], await StoredAsync());
    }

    [Fact]
    public async Task A_best_checkpoint_is_stored_though_a_newer_one_comes_before_its_turn()
    {
        await RunAsync(uploader =>
        {
            // Offered at once: storing takes turns, and of the three only the last and the best have to arrive.
            uploader.Offer(Written(1, isBest: true, best: 1));
            uploader.Offer(Written(2, isBest: false, best: 1));
            uploader.Offer(Written(3, isBest: false, best: 1));
            return Task.CompletedTask;
        });
        Assert.Superset(new HashSet<string> { "step-1", "step-3" }, (await StoredAsync()).ToHashSet());
    }

    [Fact]
    public async Task A_checkpoint_stays_on_disk_as_long_as_it_is_being_stored()
    {
        using var isWriting = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        var first = true;
        _blobs.BeforeWrite = (_, _) =>
        {
            if (first)
            {
                first = false;
                isWriting.Release();
                goOn.Wait(TestContext.Current.CancellationToken);
            }
        };
        await RunAsync(async uploader =>
        {
            uploader.Offer(Written(1, isBest: false, best: null));
            await isWriting.WaitAsync(TestContext.Current.CancellationToken);
            uploader.Offer(Written(2, isBest: true, best: 2));
            uploader.Offer(Written(3, isBest: false, best: 2));
            uploader.Offer(Written(4, isBest: false, best: 2));
            Assert.Equal([true, true, false, true], Enumerable.Range(1, 4).Select(uploader.IsWanted));
            goOn.Release();
        });
        Assert.Equal([1, 2, 4], _log.Of(_job.Ref()).Where(told => told.Type == "checkpoint").Select(told => told.Data!.Value.GetProperty("step").GetInt32()));
    }

    [Fact]
    public async Task What_a_run_went_back_behind_is_removed()
    {
        await RunAsync(async uploader =>
        {
            await StoreAsync(uploader, 1, isBest: false, best: null);
            await StoreAsync(uploader, 2, isBest: true, best: 2);
            uploader.GoBackTo(1);
        });
        Assert.Equal(["step-1"], await StoredAsync());
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_passed_over_and_an_older_one_can_be_fetched_later()
    {
        var scratch = Path.Combine(_local, "scratch");
        await RunAsync(async uploader =>
        {
            // The best that the older of the two kept ones knows is kept as well: who goes back to it wants that.
            await StoreAsync(uploader, 1, isBest: true, best: 1);
            await StoreAsync(uploader, 2, isBest: false, best: 1);
            await StoreAsync(uploader, 3, isBest: true, best: 3);
        });
        Assert.Equal(["step-1", "step-2", "step-3"], await StoredAsync());
        await RunAsync(async uploader =>
        {
            Assert.Equal(3, await uploader.FetchNewestAsync(scratch, int.MaxValue, TestContext.Current.CancellationToken));
            Assert.Equal(["step-3"], Fetched());
            Assert.Equal(2, await uploader.FetchNewestAsync(scratch, 2, TestContext.Current.CancellationToken));
            Assert.Equal(["step-1", "step-2", "step-3"], Fetched());
        });

        // Two workers stored one step at the same time, and their files mixed.
        await _blobs.WriteAsync(Container, $"{_job.AccountId}/{_job.Id}/step-3/state.json", new MemoryStream([1]));
        Directory.Delete(scratch, recursive: true);
        await RunAsync(async uploader => Assert.Equal(2, await uploader.FetchNewestAsync(scratch, int.MaxValue, TestContext.Current.CancellationToken)));
        Assert.Equal(["step-1", "step-2"], Fetched());
        Assert.Contains("The stored checkpoint of step 3 is damaged and passed over.", _log.Of(_job.Ref()).Select(told => told.Message));

        // What the attempt could not go on from does not stay the newest.
        await RunAsync(uploader =>
        {
            uploader.Offer(Written(2, isBest: false, best: 1));
            return Task.CompletedTask;
        });
        Assert.Equal(["step-1", "step-2"], await StoredAsync());

        IEnumerable<string?> Fetched() => Directory.GetDirectories(scratch).Select(Path.GetFileName).Where(n => n![0] != '.').Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task What_is_told_after_a_return_has_keys_of_its_own_and_numbers_of_where_the_run_is_again()
    {
        await RunAsync(async (uploader, lease, reporter) =>
        {
            var observer = new TrainingProgressObserver(reporter, lease, uploader);

            // The step after the return is skipped, so that nothing but the evaluation tells of it.
            observer.OnEvaluation(Evaluated(6, loss: 9, rollbacks: 0));
            observer.OnSample(new SampleText(6, "p", "bad", "e"));
            observer.OnRolledBack(new RolledBack { Step = 5, Rollbacks = 1, Loss = 2, EvaluationLoss = 1.5, EvaluationAccuracy = 0.5, TrainedTokens = 50 });
            Assert.True(await lease.FlushAsync(TestContext.Current.CancellationToken));
            var progress = lease.Job.Progress;
            Assert.Equal((5, 2.0, 1.5, 0.5, 50), (progress.CurrentStep, progress.TrainLoss!.Value, progress.EvalLoss!.Value, progress.EvalTokenAccuracy!.Value, progress.TrainedTokens));
            observer.OnEvaluation(Evaluated(6, loss: 1.25, rollbacks: 1));
            observer.OnSample(new SampleText(6, "p", "good", "e") { Rollbacks = 1 });
            await reporter.FlushAsync(TestContext.Current.CancellationToken);
            Assert.Equal(["eval", "sample", "rollback", "eval", "sample"], _log.Of(_job.Ref()).Select(told => told.Type));
        });
    }

    public void Dispose() => Directory.Delete(_local, recursive: true);

    private Task RunAsync(Func<CheckpointUploader, Task> act) => RunAsync((uploader, _, _) => act(uploader));

    private async Task RunAsync(Func<CheckpointUploader, JobLease, JobEventReporter, Task> act)
    {
        if (await _store.FindAsync(_job.Ref()) is null)
        {
            await _store.CreateAsync(_job);
        }

        var row = (await _store.FindAsync(_job.Ref()))!;
        await using var lease = new JobLease(_store, row, TimeSpan.FromMinutes(5), TimeProvider.System, NullLogger.Instance);
        await using var reporter = new JobEventReporter(_log, new RecordingRelay(), _job.Ref(), 1, TimeProvider.System, NullLogger.Instance);
        var folders = new BlobFolder(_blobs);
        var models = new CheckpointModels(new InMemoryModelStore(), _store, folders, new StorageNames(), TimeProvider.System);
        await using var uploader = new CheckpointUploader(folders, Container, _job.Ref(), reporter, lease, models, NullLogger.Instance);
        await act(uploader, lease, reporter);
        await uploader.CompleteAsync(TestContext.Current.CancellationToken);
    }

    private async Task StoreAsync(CheckpointUploader uploader, int step, bool isBest, int? best)
    {
        uploader.Offer(Written(step, isBest, best));
        while (!(await StoredAsync()).Contains($"step-{step}"))
        {
            await Task.Yield();
        }
    }

    private static EvaluationMetrics Evaluated(int step, double loss, int rollbacks) =>
        new() { Step = step, Epoch = 1, Loss = loss, TokenAccuracy = 0.5, Tokens = 10, IsBest = false, Rollbacks = rollbacks };

    private CheckpointWritten Written(int step, bool isBest, int? best)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_local, $"step-{step}")).FullName;
        File.WriteAllText(Path.Combine(folder, "weights.bin"), $"weights of {step}");
        File.WriteAllText(Path.Combine(folder, "state.json"), $$"""{"version":1,"step":{{step}},"seed":1,"best_step":{{best?.ToString() ?? "null"}},"options_hash":"o","data_hash":"d"}""");
        var files = Directory.GetFiles(folder).Where(path => Path.GetFileName(path) != "manifest.json").Select(path =>
            $$"""{"name":"{{Path.GetFileName(path)}}","size_bytes":{{new FileInfo(path).Length}},"sha256":"{{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))}}"}""");
        File.WriteAllText(Path.Combine(folder, "manifest.json"), $$"""{"version":1,"step":{{step}},"created_at":"2026-01-01T00:00:00Z","files":[{{string.Join(',', files)}}]}""");
        return new CheckpointWritten(folder, step, 10, isBest);
    }

    private async Task<IReadOnlyList<string>> StoredAsync()
    {
        var steps = new List<string>();
        await foreach (var folder in new BlobFolder(_blobs).ListCompleteAsync(Container, $"{_job.AccountId}/{_job.Id}/", TestContext.Current.CancellationToken))
        {
            steps.Add(folder);
        }

        return [.. steps.Order(StringComparer.Ordinal)];
    }
}
