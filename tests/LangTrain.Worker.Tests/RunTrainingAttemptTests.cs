using System.Text;
using LangTrain.Contracts.FineTunes;
using LangTrain.Core.FineTunes;
using LangTrain.Core.Models;
using LangTrain.Core.Storage;
using LangTrain.Modeling;
using LangTrain.Training;
using LangTrain.Testing;
using LangTrain.Training.TinyBaseModel;
using LangTrain.Worker.FineTunes;
using LangTrain.Worker.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace LangTrain.Worker.Tests;

/// <summary>Whole attempts on an untrained tiny model, over in-memory ports.</summary>
public sealed class RunTrainingAttemptTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("attempts").FullName;
    private readonly InMemoryFineTuneStore _store = new();
    private readonly InMemoryJobEventLog _log = new();
    private readonly InMemoryBlobStore _blobs = new();
    private readonly InMemoryWorkQueue<FineTuneSignal> _signals = new();
    private readonly WorkerOptions _options;

    public RunTrainingAttemptTests()
    {
        var model = Path.Combine(_root, "models", "langtrain", "tiny");
        TinyModelFiles.Write(model, seed: 1);
        using (var untrained = DecoderModel.Create(ModelConfig.Read(model), seed: 2))
        {
            untrained.Save(model);
        }

        _options = new WorkerOptions
        {
            Url = new Uri("http://127.0.0.1:1"), Key = "k", ModelsDirectory = Path.Combine(_root, "models"), ScratchDirectory = Path.Combine(_root, "scratch"),
        };
    }

    [Theory]
    [InlineData("lora")]
    [InlineData("full")]
    public async Task Preferences_are_trained_and_their_numbers_stand_on_the_job(string method)
    {
        var job = await QueueAsync(
            "preference",
            Enumerable.Range(0, 4).Select(i => $$"""{"prompt":"The sky is","chosen":" blue {{i}}","rejected":" a long wrong answer {{i}}"}"""),
            new FineTuneConfig
            {
                Method = method, Objective = "dpo", Beta = 0.5,
                TrainingConfig = new TrainingConfig { Epochs = 6, EvalSteps = 3, BatchSize = 4, LearningRate = method == "full" ? 1e-3 : 1e-2, ActivationCheckpointing = true },
            });
        await RunAsync(job);

        var signal = Assert.Single(_signals.Messages);
        Assert.True(signal.Kind == FineTuneSignalKind.Succeeded, signal.Error?.Message);
        var outcome = signal.Outcome!;
        Assert.Equal((6, 6), (outcome.Steps, outcome.WrittenStep));
        Assert.True(outcome.TrainableParameters > 0 && outcome.TensorsScanned > 0 && outcome.PromptsTried > 0 && outcome.PeakMemoryBytes > 0);
        Assert.Equal(0, outcome.ReloadMaxLogitDifference);
        Assert.InRange(outcome.EvalLoss!.Value, 0, Math.Log(2));
        Assert.Equal(1, outcome.EvalTokenAccuracy);

        var estimate = (await _store.FindAsync(job.Ref()))!.Value.Progress.Estimate!;
        Assert.Equal((true, 6, outcome.TrainableParameters), (estimate.Exact, estimate.TotalSteps, estimate.TrainableParameters));
        var steps = _log.Of(job.Ref()).Where(e => e.Type == "metrics").Select(e => e.Data!.Value).ToList();
        Assert.Equal(Math.Log(2), steps[0].GetProperty("loss").GetDouble(), 1e-4);
        Assert.True(steps[^1].GetProperty("reward_margin").GetDouble() > 0);
    }

    [Fact]
    public async Task Loss_on_all_trains_prompts_too()
    {
        var rows = Enumerable.Range(0, 4).Select(i => $$"""{"prompt":"Question number {{i}}, please?","completion":" Yes."}""").ToList();
        var config = new FineTuneConfig { TrainingConfig = new TrainingConfig { Epochs = 1 } };
        var answers = await QueueAsync("completion", rows, config);
        await RunAsync(answers);
        var all = await QueueAsync("completion", rows, config with { TrainingConfig = config.TrainingConfig with { LossOn = "all" } });
        await RunAsync(all);
        Assert.True(_signals.Messages[1].Outcome!.TrainedTokens > 2 * _signals.Messages[0].Outcome!.TrainedTokens);
    }

    [Fact]
    public async Task A_message_that_cannot_be_deleted_does_not_hold_up_the_job_it_was_for()
    {
        var job = await QueueAsync("completion", ["""{"prompt":"One","completion":" two"}"""], new FineTuneConfig { TrainingConfig = new TrainingConfig { Epochs = 1 } });
        await RunAsync(job, () => Task.FromException(new IOException("500")));
        Assert.Equal(FineTuneSignalKind.Succeeded, Assert.Single(_signals.Messages).Kind);
    }

    [Fact]
    public async Task A_log_that_does_not_answer_at_the_claim_costs_no_attempt_and_hears_of_it_first()
    {
        var job = await QueueAsync("completion", ["""{"prompt":"One","completion":" two"}"""], new FineTuneConfig { TrainingConfig = new TrainingConfig { Epochs = 1 } });
        var failures = 2;
        _log.BeforeAppend = _ =>
        {
            if (failures-- > 0)
            {
                throw new IOException("503");
            }
        };
        await RunAsync(job);
        Assert.Equal(FineTuneSignalKind.Succeeded, Assert.Single(_signals.Messages).Kind);
        Assert.Equal("running", _log.Of(job.Ref())[0].Status);
    }

    [Fact]
    public async Task A_claim_whose_answer_was_lost_is_this_workers()
    {
        var job = await QueueAsync("completion", ["""{"prompt":"One","completion":" two"}"""], new FineTuneConfig { TrainingConfig = new TrainingConfig { Epochs = 1 } });
        var failures = 1;
        _store.AfterWrite = written =>
        {
            if (written.Status == FineTuneStatus.Running && failures-- > 0)
            {
                throw new IOException("reset");
            }
        };
        await RunAsync(job);
        Assert.Equal(FineTuneSignalKind.Succeeded, Assert.Single(_signals.Messages).Kind);
    }

    [Fact]
    public async Task A_job_cancelled_while_its_result_is_stored_is_cancelled_and_leaves_nothing_of_it()
    {
        var job = await QueueAsync("completion", ["""{"prompt":"One","completion":" two"}"""], new FineTuneConfig { TrainingConfig = new TrainingConfig { Epochs = 1 } });
        var stored = 0;
        _blobs.BeforeWrite = (container, _) =>
        {
            if (container == _options.Names.ModelsContainer && stored++ == 1)
            {
                var row = _store.FindAsync(job.Ref()).Result!;
                _store.UpdateAsync(row, row.Value with { Requested = FineTuneControl.Cancel }).Wait();
                // The next heartbeat reads it.
                SpinWait.SpinUntil(() => _signals.Messages.Count > 0, TimeSpan.FromSeconds(2.5));
            }
        };
        await RunAsync(job);
        Assert.Equal(FineTuneSignalKind.Cancelled, Assert.Single(_signals.Messages).Kind);
        await foreach (var blob in _blobs.ListAsync(_options.Names.ModelsContainer, "", TestContext.Current.CancellationToken))
        {
            Assert.Fail(blob.Name);
        }
    }

    [Fact]
    public async Task A_worker_that_was_thought_lost_does_not_harm_the_result_of_the_one_that_took_over()
    {
        var folders = new BlobFolder(_blobs);
        var store = new ArtifactStore(folders, _blobs, _options);
        var job = Some.Job();
        var output = Directory.CreateDirectory(Path.Combine(_root, "output")).FullName;
        File.WriteAllText(Path.Combine(output, "adapter_model.safetensors"), "weights");
        var result = new TrainingResult { Outcome = Training.TrainingOutcome.Completed, Steps = 1, TotalSteps = 1, TrainedTokens = 1, Duration = TimeSpan.Zero, PeakMemoryBytes = 1, OutputFolder = output };

        // The second took over and ended; then the first wakes where it was about to store.
        var second = await store.StoreAsync(job, 2, result, TestContext.Current.CancellationToken);
        await store.StoreAsync(job, 1, result, TestContext.Current.CancellationToken);
        Assert.Equal(second.ArtifactPrefix, (await store.FindFinishedAsync(job.Ref(), TestContext.Current.CancellationToken))!.ArtifactPrefix);

        // A result of which somebody tidied a file away does not count, whatever its manifest says.
        await _blobs.DeleteAsync(_options.Names.ModelsContainer, second.ArtifactPrefix + "/adapter_model.safetensors", TestContext.Current.CancellationToken);
        Assert.EndsWith("/1", (await store.FindFinishedAsync(job.Ref(), TestContext.Current.CancellationToken))!.ArtifactPrefix, StringComparison.Ordinal);
    }

    [Fact]
    public void What_died_processes_left_is_removed_and_what_somebody_works_in_stays()
    {
        var jobs = Path.Combine(_root, "jobs");
        Directory.CreateDirectory(Path.Combine(jobs, "dead", "checkpoints"));
        using (var held = new ScratchFolder(jobs, "alive"))
        {
            ScratchFolder.RemoveLeftOver(jobs);
            Assert.Equal(["alive"], Directory.GetDirectories(jobs).Select(Path.GetFileName));
            Assert.Throws<IOException>(() => new ScratchFolder(jobs, "alive"));
        }

        Assert.Empty(Directory.GetFileSystemEntries(jobs));
    }

    [Fact]
    public async Task A_target_that_the_model_has_not_is_the_owner_s_to_mend()
    {
        var job = await QueueAsync("completion", ["""{"prompt":"One","completion":" two"}"""], new FineTuneConfig { LoraConfig = new LoraConfig { TargetModules = ["c_attn"] } });
        await RunAsync(job);
        var signal = Assert.Single(_signals.Messages);
        Assert.Equal((FineTuneSignalKind.Failed, false, "config_invalid"), (signal.Kind, signal.Retryable, signal.Error!.Code));
        Assert.StartsWith("Target module 'c_attn' is no linear layer of the model's blocks. There are: q_proj,", signal.Error.Message, StringComparison.Ordinal);
        Assert.EndsWith("'all-linear'.", signal.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_estimate_reckons_with_more_rows_than_it_is_given()
    {
        using var estimate = new EstimateTraining(new ModelFiles(new BlobFolder(_blobs), _options), _options, TimeProvider.System);
        var item = new EstimateWorkItem
        {
            BaseModel = Some.Source("langtrain/tiny"), Config = new FineTuneConfig(), TotalRows = 10, EvaluationRows = 2,
            Rows = [.. Enumerable.Range(0, 10).Select(i => $$"""{"prompt":"Number {{i}}","completion":" one"}""")],
        };
        var some = await estimate.ExecuteAsync(item, TestContext.Current.CancellationToken);
        var more = await estimate.ExecuteAsync(item with { TotalRows = 1000 }, TestContext.Current.CancellationToken);
        Assert.Equal((true, 9), (some.Exact, some.TotalSteps)); // 3 epochs of 10 rows, 4 a step
        Assert.Equal((false, 750, 100 * some.TokensPerEpoch), (more.Exact, more.TotalSteps, more.TokensPerEpoch));
        Assert.Equal(some.MemoryBytes, more.MemoryBytes);
        Assert.True(some.Fits);
        Assert.Equal(3 * some.TokensPerEpoch, some.TotalTokens);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_options.ScratchDirectory, "estimates")));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private async Task<FineTune> QueueAsync(string format, IEnumerable<string> rows, FineTuneConfig config)
    {
        var id = $"ftjob-{Guid.NewGuid():N}";
        var content = Encoding.UTF8.GetBytes(string.Join('\n', rows));
        foreach (var name in new[] { "train", "validation" })
        {
            await _blobs.WriteAsync(_options.Names.DatasetsContainer, $"{id}/{name}.jsonl", new MemoryStream(content));
        }

        var job = Some.Job(id) with
        {
            Status = FineTuneStatus.Queued, Attempt = 1, Config = config,
            Prepared = new PreparedDataset($"{id}/train.jsonl", $"{id}/validation.jsonl", format, 8, 8, content.Length, "hash", []),
        };
        await _store.CreateAsync(job);
        return job;
    }

    private async Task RunAsync(FineTune job, Func<Task>? deleteMessage = null)
    {
        var folders = new BlobFolder(_blobs);
        var attempt = new RunTrainingAttempt(
            _store, new ChangeFineTune(_store, _log, new RecordingRelay(), TimeProvider.System), _log, new RecordingRelay(), _signals, folders,
            new TrainFineTune(_blobs, new ModelFiles(folders, _options), _options, TimeProvider.System), new ArtifactStore(folders, _blobs, _options),
            new CheckpointModels(new InMemoryModelStore(), _store, folders, _options.Names, TimeProvider.System),
            _options, TimeProvider.System, NullLogger<RunTrainingAttempt>.Instance);
        await attempt.ExecuteAsync(new TrainModelWorkItem(job.AccountId, job.Id, 1), deleteMessage ?? (() => Task.CompletedTask), CancellationToken.None);
    }
}
