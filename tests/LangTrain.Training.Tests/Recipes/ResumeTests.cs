using System.Text.Json.Nodes;
using LangTrain.Modeling;
using LangTrain.Training.Checkpoints;

namespace LangTrain.Training.Tests.Recipes;

/// <summary>4 steps = 2 steps + an end + the rest, to the last bit, with dropout, accumulation and both kinds of end.</summary>
public sealed class ResumeTests : IDisposable
{
    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }
    }

    private readonly SmallRun _run = new();

    [Theory]
    [InlineData(TrainingMethod.Lora, 1)]
    [InlineData(TrainingMethod.Lora, 2)]
    [InlineData(TrainingMethod.QLora, 2)]
    [InlineData(TrainingMethod.Full, 2)]
    public void Killed_run_goes_on_to_the_last_bit(TrainingMethod method, int accumulation) => AssertGoesOn(_run, Options(method, accumulation));

    [Theory]
    [InlineData(TrainingMethod.Lora)]
    [InlineData(TrainingMethod.QLora)]
    [InlineData(TrainingMethod.Full)]
    public void Products_in_16_bits_go_on_to_the_last_bit_too(TrainingMethod method)
    {
        using var run = new SmallRun(ModelConfig.ForLlama(259, 64, 2, 4, 2, 128, 128, bosTokenId: 256, eosTokenId: 257)); // wide enough for the kernels of large models
        AssertGoesOn(run, Options(method, accumulation: 2) with { ComputeDtype = ComputeDtype.BFloat16 });
    }

    [Theory]
    [InlineData(TrainingMethod.Lora)]
    [InlineData(TrainingMethod.Full)]
    public void Preferences_go_on_against_the_reference_that_they_began_with(TrainingMethod method)
    {
        _run.WriteRows(Enumerable.Range(0, 16).Select(i => new JsonObject { ["prompt"] = $"Number {i}", ["chosen"] = $"{i} y", ["rejected"] = $"n {i}" }));
        AssertGoesOn(_run, Options(method, accumulation: 2) with { Objective = TrainingObjective.Dpo });
    }

    [Theory]
    [InlineData(TrainingMethod.Lora)]
    [InlineData(TrainingMethod.Full)]
    public void Paused_run_goes_on_to_the_last_bit(TrainingMethod method)
    {
        var options = Options(method, accumulation: 2) with { SaveSteps = 100 };
        var whole = new RecordingObserver();
        _run.Train(options, whole, "whole");

        var control = new TrainingControl();
        var first = new RecordingObserver { AfterStep = m => { if (m.Step == 3) { control.RequestPause(); } } };
        var paused = _run.Train(options, first, "parts", control);
        Assert.Equal(TrainingOutcome.Paused, paused.Outcome);
        Assert.Equal(Path.Combine(_run.Files("parts").CheckpointFolder, "step-3"), paused.CheckpointFolder);
        Assert.Null(paused.OutputFolder);
        var second = new RecordingObserver();
        var completed = _run.Train(options, second, "parts");

        Assert.Equal(TrainingOutcome.Completed, completed.Outcome);
        Assert.Equal(whole.Losses, first.Losses.Concat(second.Losses));
        Assert.Equal(whole.Metrics[^1].TrainedTokens, completed.TrainedTokens);
        AssertSameOutput(_run);
    }

    [Fact]
    public void Run_that_diverges_after_a_resume_goes_back_as_far_as_it_would_have_without_one()
    {
        // The learning rate rises by 0.1 a step, to where no weights survive it.
        var options = Options(TrainingMethod.Full, accumulation: 1) with
        {
            LearningRate = 3, WarmupSteps = 30, Epochs = 50, MaxSteps = 30, NonFiniteStepLimit = 3, MaxGradientNorm = 0, SaveSteps = 1, EvaluationSplit = 0,
        };
        var whole = new RecordingObserver();
        var end = Record.Exception(() => _run.Train(options, whole, "whole"));
        var newest = whole.Checkpoints.TakeWhile(c => c.Rollbacks == 0).Last().Step;
        Assert.True(whole.RolledBack[0].Step < newest, "The run goes back behind its newest checkpoint.");

        // Another machine goes on, which has the newest checkpoint only; the others are where they can be fetched.
        var control = new TrainingControl();
        var first = new RecordingObserver { AfterStep = m => { if (m.Step == newest) { control.RequestPause(); } } };
        _run.Train(options, first, "first", control);
        var kept = _run.Files("first").CheckpointFolder;
        Fetch(newest);
        var second = new RecordingObserver();
        var again = Record.Exception(() => _run.Train(options, second, "second", fetchCheckpoint: atMost => Fetch(
            Directory.GetDirectories(kept).Select(f => int.Parse(Path.GetFileName(f)["step-".Length..])).Where(step => step <= atMost).Max())));
        Assert.Equal(whole.RolledBack, second.RolledBack);
        Assert.Equal(whole.Losses, first.Losses.Concat(second.Losses));
        Assert.Equal(end?.Message, again?.Message);

        void Fetch(int step) => CopyFolder(Path.Combine(kept, $"step-{step}"), Path.Combine(_run.Files("second").CheckpointFolder, $"step-{step}"));
    }

    [Fact]
    public void Time_makes_a_checkpoint_due_as_well_as_steps()
    {
        var options = Options(TrainingMethod.Lora, accumulation: 1) with { SaveSteps = 3, EvaluationSplit = 0, KeepCheckpoints = 9 };
        var bySteps = new RecordingObserver();
        _run.Train(options, bySteps, "steps");
        var byTime = new RecordingObserver();
        _run.Train(options with { SaveInterval = TimeSpan.FromTicks(1) }, byTime, "time");
        Assert.Equal([3, 4], bySteps.Checkpoints.Select(c => c.Step));
        Assert.Equal([1, 2, 3, 4], byTime.Checkpoints.Select(c => c.Step));
    }

    [Fact]
    public void Torn_newest_checkpoint_falls_back_to_the_one_before()
    {
        var options = Options(TrainingMethod.Lora, accumulation: 1) with { SaveSteps = 1 };
        var whole = new RecordingObserver();
        _run.Train(options, whole, "whole");
        var killed = new RecordingObserver { AfterStep = m => _ = m.Step == 4 ? throw new KilledException() : 0 };
        Assert.Throws<KilledException>(() => _run.Train(options, killed, "parts"));
        var newest = Path.Combine(_run.Files("parts").CheckpointFolder, "step-3", "adapter_model.safetensors");
        File.WriteAllBytes(newest, File.ReadAllBytes(newest)[..^10]);

        // Saved less often, so that the run passes the torn one's step without writing it again.
        var resumed = new RecordingObserver();
        _run.Train(options with { SaveSteps = 100 }, resumed, "parts");
        Assert.All(Directory.GetDirectories(_run.Files("parts").CheckpointFolder), folder => Assert.True(CheckpointStore.IsIntact(folder), folder));
        Assert.Equal(3, resumed.Metrics[0].Step);
        Assert.Contains(resumed.Log, line => line.Contains("step-3 is damaged", StringComparison.Ordinal));
        Assert.Equal(whole.Losses.Skip(2), resumed.Losses);
    }

    [Fact]
    public void A_checkpoint_that_a_run_died_before_removing_is_removed_by_the_next()
    {
        var options = Options(TrainingMethod.Lora, accumulation: 1) with { SaveSteps = 1, KeepCheckpoints = 1, EvaluationSplit = 0 };
        var killed = new RecordingObserver();
        Assert.Throws<KilledException>(() => _run.Train(options, killed, beforeOperation: what =>
            _ = what.StartsWith("hide", StringComparison.Ordinal) && killed.Metrics.Count == 4 ? throw new KilledException() : 0));
        string[] Left() => [.. Directory.GetDirectories(_run.Files().CheckpointFolder).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];
        Assert.Equal(["step-3", "step-4"], Left());
        _run.Train(options, new RecordingObserver());
        Assert.Equal(["step-4"], Left());
    }

    [Fact]
    public void Checkpoint_of_other_options_or_data_is_refused()
    {
        var options = Options(TrainingMethod.Lora, 1);
        _run.Train(options, new RecordingObserver());
        Assert.Throws<CheckpointMismatchException>(() => _run.Train(options with { LearningRate = 1e-5 }, new RecordingObserver()));
        File.AppendAllText(_run.TrainingFile, """{"prompt":"one","completion":"more"}""" + "\n");
        Assert.Throws<CheckpointMismatchException>(() => _run.Train(options, new RecordingObserver()));
    }

    [Fact]
    public void A_run_alone_in_its_folder_passes_over_what_it_cannot_use_and_asks_for_older_ones()
    {
        var options = Options(TrainingMethod.Lora, 1) with { SaveSteps = 1 };
        var whole = new RecordingObserver();
        _run.Train(options, whole, "whole");
        _run.Train(options with { LearningRate = 1e-5 }, new RecordingObserver(), "foreign");

        // The newest is another run's; of this run's own, kept elsewhere, the newest is torn and the one before is good.
        string Step(string run, int step) => Path.Combine(_run.Files(run).CheckpointFolder, $"step-{step}");
        void Copy(string from, string to)
        {
            Directory.CreateDirectory(to);
            foreach (var file in Directory.GetFiles(from))
            {
                File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
            }
        }

        Copy(Step("foreign", 4), Step("mixed", 6));
        Copy(Step("whole", 4), Step("mixed", 5)); // a place that this run does not have
        var asked = new List<int>();
        var resumed = new RecordingObserver();
        _run.Train(options, resumed, "mixed", passesOverForeign: true, fetchCheckpoint: most =>
        {
            asked.Add(most);
            if (most == 4)
            {
                Copy(Step("whole", 4), Step("mixed", 4));
                File.WriteAllText(Path.Combine(Step("mixed", 4), "manifest.json"), """{"version":1,"step":4,"created_at":"2026-01-01T00:00:00Z","files":null}""");
            }
            else if (most == 3)
            {
                Copy(Step("whole", 3), Step("mixed", 3));
            }
        });
        Assert.Equal([5, 4, 3], asked);
        Assert.Contains("Warning: Checkpoint step-6 was made with other options or data and is passed over.", resumed.Log);
        Assert.Contains("Warning: Checkpoint step-5 cannot be restored and is passed over.", resumed.Log);
        Assert.Contains("Warning: Checkpoint step-4 is damaged and is passed over.", resumed.Log);
        Assert.Equal(whole.Losses.Skip(3), resumed.Losses);

        // And with nothing to fall back to it begins anew.
        Copy(Step("foreign", 4), Step("alone", 4));
        var anew = new RecordingObserver();
        _run.Train(options, anew, "alone", passesOverForeign: true);
        Assert.Contains(anew.Log, line => line.Contains("begins anew", StringComparison.Ordinal));
        Assert.Equal(whole.Losses, anew.Losses);
    }

    public void Dispose() => _run.Dispose();

    private static TrainingOptions Options(TrainingMethod method, int accumulation) => new()
    {
        Method = method,
        Lora = new LoraOptions { Rank = 4, Alpha = 8, Dropout = 0.2 },
        Epochs = 2,
        MaxSteps = 4,
        BatchSize = 4 / accumulation,
        GradientAccumulationSteps = accumulation,
        LearningRate = 1e-2,
        SaveSteps = 2,
        EvaluationSplit = 0.2,
        EvaluationSteps = 2,
        EvaluationSamples = 1,
    };

    private static void AssertGoesOn(SmallRun run, TrainingOptions options)
    {
        var whole = new RecordingObserver();
        run.Train(options, whole, "whole");

        // The kill comes after step 3, whose work is lost: the newest checkpoint is that of step 2.
        var killed = new RecordingObserver { AfterStep = m => _ = m.Step == 3 ? throw new KilledException() : 0 };
        Assert.Throws<KilledException>(() => run.Train(options, killed, "parts"));
        var resumed = new RecordingObserver();
        run.Train(options, resumed, "parts");

        Assert.Equal(whole.Losses, killed.Losses.Take(2).Concat(resumed.Losses));
        Assert.Equal(whole.Metrics[^1].SmoothedLoss, resumed.Metrics[^1].SmoothedLoss);
        AssertSameOutput(run);
    }

    private static void AssertSameOutput(SmallRun run)
    {
        foreach (var path in Directory.GetFiles(run.Files("whole").OutputFolder))
        {
            var other = Path.Combine(run.Files("parts").OutputFolder, Path.GetFileName(path));
            Assert.True(File.ReadAllBytes(path).AsSpan().SequenceEqual(File.ReadAllBytes(other)), Path.GetFileName(path));
        }
    }

    private sealed class KilledException : Exception;
}
