using System.Text.Json.Nodes;
using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Estimation;
using LangTrain.Training.Optimization;
using LangTrain.Training.Recipes;
using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Training.Tests.Recipes;

public sealed class TrainingLoopTests : IDisposable
{
    private static readonly TrainingOptions Lora = new()
    {
        Lora = new LoraOptions { Rank = 4, Alpha = 8, Dropout = 0 }, Epochs = 1, BatchSize = 4, LearningRate = 1e-2, WarmupRatio = 0,
    };

    private readonly SmallRun _run = new();

    [Fact]
    public void Loss_falls_and_every_metric_is_finite()
    {
        var observer = new RecordingObserver();
        var result = _run.Train(Lora with { Method = TrainingMethod.Full, Epochs = 12, EvaluationSplit = 0.1 }, observer);
        Assert.True(observer.Losses[^1] < 0.6 * observer.Losses[0], $"{observer.Losses[0]} to {observer.Losses[^1]}");
        Assert.All(observer.Metrics, m => Assert.All(
            new[] { m.Epoch, m.Loss, m.LearningRate, m.GradientNorm, m.TokensPerSecond, m.EtaSeconds }, value => Assert.True(double.IsFinite(value))));
        Assert.Equal(Enumerable.Range(1, result.TotalSteps), observer.Metrics.Select(m => m.Step));
        Assert.Equal(12.0, observer.Metrics[^1].Epoch);
        Assert.True(observer.Metrics[^1].EtaSeconds < observer.Metrics[1].EtaSeconds);
        Assert.Equal(12, observer.Evaluations.Count);
        Assert.NotEmpty(observer.Samples);
    }

    [Theory]
    [InlineData(TrainingMethod.Lora)]
    [InlineData(TrainingMethod.Full)]
    public void Accumulating_four_equals_a_batch_of_four(TrainingMethod method)
    {
        var options = Lora with { Method = method };
        var batch = _run.Losses(options, "batch");
        var accumulated = _run.Losses(options with { BatchSize = 1, GradientAccumulationSteps = 4 }, "accumulated");
        AssertClose(batch, accumulated, 1e-5);
    }

    [Fact]
    public void Packed_loss_equals_unpacked_loss()
    {
        // One step over all rows, so that both see the same tokens with the same weights.
        var options = Lora with { Objective = TrainingObjective.Sft, BatchSize = 64, MaxSequenceLength = 128 };
        AssertClose(_run.Losses(options, "rows"), _run.Losses(options with { Packing = true }, "packed"), 1e-5);
        AssertClose(
            _run.Losses(options with { Method = TrainingMethod.Full, Epochs = 4 }, "full-rows"),
            _run.Losses(options with { Method = TrainingMethod.Full, Epochs = 4, Packing = true }, "full-packed"), 1e-5);
    }

    [Fact]
    public void Packed_rows_are_no_longer_than_the_model_s_context()
    {
        // All rows together have more tokens than the context of 128, each one fewer, and the default of 2048 would hold them all.
        var options = Lora with { Packing = true, Epochs = 2, BatchSize = 1 };
        var estimate = new LoraRecipe(options, _run.Files(), new RecordingObserver(), new TrainingControl(), TimeProvider.System).Estimate();
        var result = _run.Train(options, new RecordingObserver());
        Assert.InRange(result.Steps, 6, 12);
        Assert.Equal(result.Steps, estimate.TotalSteps);
    }

    [Theory]
    [InlineData(TrainingMethod.Lora)]
    [InlineData(TrainingMethod.QLora)]
    [InlineData(TrainingMethod.Full)]
    public void Activation_checkpointing_changes_nothing_to_the_last_bit(TrainingMethod method)
    {
        var options = Lora with { Method = method, Lora = Lora.Lora with { Dropout = 0.2 }, Packing = true, MaxSequenceLength = 64, Epochs = 2 };
        Assert.Equal(_run.Losses(options, "kept"), _run.Losses(options with { ActivationCheckpointing = true }, "recomputed"));
    }

    [Theory]
    [InlineData(TrainingMethod.Lora, false)]
    [InlineData(TrainingMethod.Full, false)]
    [InlineData(TrainingMethod.Lora, true)]
    [InlineData(TrainingMethod.QLora, true)]
    [InlineData(TrainingMethod.Full, true)]
    public void Products_in_16_bits_train_to_the_same_loss_within_a_percent(TrainingMethod method, bool int16)
    {
        using var run = new SmallRun(ModelConfig.ForLlama(259, 64, 2, 4, 2, 128, 128, bosTokenId: 256, eosTokenId: 257)); // 16-bit integers are for products at least 64 wide
        double[] wide = Losses(new ComputeTarget(CPU, ScalarType.Float32, Int16Products: false));
        double[] narrow = Losses(new ComputeTarget(CPU, int16 ? ScalarType.Float32 : ScalarType.BFloat16, int16));
        Assert.NotEqual(wide, narrow);
        Assert.InRange(wide[^1] / wide[0], 0, 0.85); // It learns.
        Assert.InRange(narrow.TakeLast(8).Average() / wide.TakeLast(8).Average(), 0.99, 1.01);

        double[] Losses(ComputeTarget target)
        {
            using var scope = NewDisposeScope();
            var options = Lora with { Method = method };
            using var data = TrainingData.Load(options, run.Files(), CancellationToken.None);
            using var trainee = method == TrainingMethod.Full ? FullRecipe.Prepare(options, run.Files(), target) : LoraRecipe.Prepare(options, run.Files(), target);
            using var optimizer = new AdamW(trainee.Parameters, new(0.9, 0.999, 1e-8, 0));
            using var generator = new Generator(1);
            using var threads = new StepThreads(1, 1, CPU);
            var batch = MicroBatch.Build([[0], [1], [2], [3]], data.Training, CPU);
            return [.. Enumerable.Range(0, 40).Select(_ =>
            {
                var loss = trainee.Accumulate(batch, 0.01, generator).item<double>();
                optimizer.Step(method == TrainingMethod.Full ? 1e-3 : 1e-2);
                optimizer.ClearGradients();
                return loss;
            })];
        }
    }

    [Fact]
    public void What_is_computed_in_follows_the_option_and_the_processor()
    {
        (ComputeDtype Wanted, int Width, bool HasBFloat16, bool HasInt16, ScalarType Dtype, bool Int16)[] cases =
        [
            (ComputeDtype.Float32, 4096, true, true, ScalarType.Float32, false),
            (ComputeDtype.BFloat16, 64, true, false, ScalarType.BFloat16, false),
            (ComputeDtype.BFloat16, 64, false, true, ScalarType.Float32, true),
            (ComputeDtype.BFloat16, 64, true, true, ScalarType.BFloat16, false),
            (ComputeDtype.BFloat16, 64, false, false, ScalarType.BFloat16, false),
            (ComputeDtype.Auto, 255, true, true, ScalarType.Float32, false),
            (ComputeDtype.Auto, 256, true, false, ScalarType.BFloat16, false),
            (ComputeDtype.Auto, 256, false, true, ScalarType.Float32, true),
            (ComputeDtype.Auto, 4096, false, false, ScalarType.Float32, false),
        ];
        Assert.All(cases, c => Assert.Equal(new ComputeTarget(CPU, c.Dtype, c.Int16), ComputeTarget.OnCpu(c.Wanted, c.Width, c.HasBFloat16, c.HasInt16) with { Device = CPU }));
    }

    [Theory]
    [InlineData(TrainingMethod.Lora)]
    [InlineData(TrainingMethod.QLora)]
    public void Base_stays_frozen_and_the_adapter_learns(TrainingMethod method)
    {
        using var scope = NewDisposeScope();
        var options = Lora with { Method = method };
        using var data = TrainingData.Load(options, _run.Files(), CancellationToken.None);
        using var trainee = LoraRecipe.Prepare(options, _run.Files());
        using var optimizer = new AdamW(trainee.Parameters, new(0.9, 0.999, 1e-8, 0));
        using var generator = new Generator(1);
        var baseBefore = Snapshot(trainee.Model);
        var adapterBefore = trainee.Parameters.Select(p => p.Value.data<float>().ToArray()).ToArray();
        for (var step = 0; step < 3; step++)
        {
            trainee.Accumulate(MicroBatch.Build([[0], [1], [2]], data.Training, CPU), 0.01, generator);
            optimizer.Step(1e-2);
            optimizer.ClearGradients();
        }

        Assert.Equal(baseBefore, Snapshot(trainee.Model));
        Assert.All(trainee.Model.parameters(), p => Assert.Null(p.grad));
        Assert.All(trainee.Parameters.Zip(adapterBefore), p => Assert.NotEqual(p.Second, p.First.Value.data<float>().ToArray()));
    }

    [Theory]
    [InlineData(TrainingMethod.Lora)]
    [InlineData(TrainingMethod.QLora)]
    [InlineData(TrainingMethod.Full)]
    public void A_hundred_steps_leave_as_many_tensors_as_two(TrainingMethod method)
    {
        using var scope = NewDisposeScope();
        var options = Lora with { Method = method, Lora = Lora.Lora with { Dropout = 0.1 } };
        using var data = TrainingData.Load(options, _run.Files(), CancellationToken.None);
        using var trainee = method == TrainingMethod.Full ? FullRecipe.Prepare(options, _run.Files()) : LoraRecipe.Prepare(options, _run.Files());
        using var optimizer = new AdamW(trainee.Parameters, new(0.9, 0.999, 1e-8, 0.01));
        using var generator = new Generator(1);
        // Of this thread: other tests run at the same time.
        static long Live() => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        var afterTwo = 0L;
        for (var step = 1; step <= 100; step++)
        {
            using (NewDisposeScope())
            {
                trainee.ActivationCheckpointing = step > 50;
                trainee.Accumulate(MicroBatch.Build([[step % 5], [5, 6]], data.Training, CPU), 0.01, generator);
                GradientClip.Clip(trainee.Parameters, GradientClip.Norm(trainee.Parameters).item<float>(), 1e-3);
                optimizer.Step(1e-3);
                optimizer.ClearGradients();
            }

            afterTwo = step == 2 ? Live() : afterTwo;
        }

        Assert.Equal(afterTwo, Live());
    }

    [Theory]
    [InlineData(TrainingMethod.Lora)]
    [InlineData(TrainingMethod.QLora)]
    [InlineData(TrainingMethod.Full)]
    public void Every_tensor_of_a_run_belongs_to_a_scope(TrainingMethod method)
    {
        // One without is freed by the garbage collector: perhaps late, and perhaps while an operator reads it.
        static long WithoutScope() => DisposeScopeManager.Statistics.TensorStatistics.CreatedOutsideScopeCount;
        var before = WithoutScope();
        _run.Train(Lora with { Method = method, EvaluationSplit = 0.2 }, new RecordingObserver());
        Assert.Equal(before, WithoutScope());
    }

    [Theory]
    // Recorded from this implementation on 2 CPU threads, to notice any change of the arithmetic, the data order or the start.
    [InlineData(TrainingMethod.Lora, new[] { 5.546418, 5.508511, 5.470628, 5.446308 })]
    [InlineData(TrainingMethod.Full, new[] { 5.546418, 5.167813, 4.794731, 4.608250 })]
    public void Losses_are_the_pinned_ones(TrainingMethod method, double[] expected) =>
        AssertClose(expected, _run.Losses(Lora with { Method = method }), 1e-4);

    [Fact]
    public void Estimate_agrees_with_the_run()
    {
        var options = Lora with { Epochs = 3, EvaluationSplit = 0.25 };
        var estimate = new LoraRecipe(options, _run.Files(), new RecordingObserver(), new TrainingControl(), TimeProvider.System).Estimate();
        var result = _run.Train(options, new RecordingObserver());
        Assert.Equal(12, estimate.Examples);
        Assert.Equal(4, estimate.EvaluationExamples);
        Assert.Equal(result.TotalSteps, estimate.TotalSteps);
        Assert.Equal(result.TrainedTokens, 3 * estimate.TrainedTokensPerEpoch);
        using var trainee = LoraRecipe.Prepare(options, _run.Files());
        Assert.Equal(trainee.Parameters.Sum(p => p.Value.numel()), estimate.TrainableParameters);
        Assert.Equal(trainee.Model.ParameterCount, estimate.ModelParameters);
        Assert.InRange(estimate.MemoryBytes, 1 << 20, 1L << 30);
        Assert.True(estimate.Duration > TimeSpan.Zero);
    }

    [Fact]
    public void Estimate_counts_what_an_adapter_has_where_names_and_order_are_other_than_Llama_s()
    {
        var options = Lora with { Lora = new LoraOptions { Rank = 3, UseDora = true } };
        var config = ModelConfig.Parse("""{"model_type":"gpt2","n_embd":24,"n_layer":2,"n_head":2,"vocab_size":50,"n_positions":32}""");
        using var model = DecoderModel.Create(config);
        using var adapter = LoraAdapter.Create(model, options.Lora, seed: 1);
        var memory = new TrainingMemory(options, config);
        Assert.Equal((adapter.ParameterCount, model.ParameterCount), (memory.TrainableParameters, memory.ModelParameters));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Weights_that_the_last_update_made_infinite_become_neither_checkpoint_nor_result(int steps)
    {
        var observer = new RecordingObserver();
        var options = Lora with { Method = TrainingMethod.Full, LearningRate = 1e39, MaxSteps = steps, SaveSteps = 1 };
        var error = Assert.Throws<TrainingDivergedException>(() => _run.Train(options, observer));
        Assert.Equal(steps, error.Step);
        Assert.Empty(observer.Checkpoints);
        Assert.False(Directory.Exists(_run.Files().OutputFolder));
    }

    [Theory]
    [InlineData(1, 1)] // its only step is bad: nothing was learned
    [InlineData(3, 2)] // the first update breaks the weights, and too few steps are left to fill up a row of five
    public void A_run_that_ends_on_bad_steps_is_no_success(int steps, int bad)
    {
        if (steps == 1)
        {
            using var model = DecoderModel.Load(_run.BaseModel);
            using var frozen = no_grad();
            _ = model.get_parameter("model.norm.weight")!.fill_(1e38);
            model.Save(_run.BaseModel, ScalarType.Float32);
        }

        var options = Lora with { Method = TrainingMethod.Full, LearningRate = 1e18, MaxSteps = steps, MaxGradientNorm = 0 };
        var error = Assert.Throws<TrainingDivergedException>(() => _run.Train(options, new RecordingObserver()));
        Assert.Equal(bad, error.StepsInRow);
        Assert.False(Directory.Exists(_run.Files().OutputFolder));
    }

    [Fact]
    public void Run_without_a_good_checkpoint_to_go_back_to_diverges()
    {
        var observer = new RecordingObserver();
        // A learning rate this large makes the second step's loss overflow fp32.
        var options = Lora with { Method = TrainingMethod.Full, LearningRate = 1e30, Epochs = 5, NonFiniteStepLimit = 3, MaxGradientNorm = 0 };
        var error = Assert.Throws<TrainingDivergedException>(() => _run.Train(options, observer));
        Assert.Equal((3, 0), (error.StepsInRow, error.Rollbacks));
        Assert.All(observer.Metrics, m => Assert.True(double.IsFinite(m.Loss)));
        Assert.Equal(2, observer.Log.Count(line => line.Contains("was skipped", StringComparison.Ordinal)));
    }

    [Fact]
    public void Diverged_run_goes_back_to_weights_that_were_good_with_half_the_learning_rate()
    {
        // The learning rate rises by 0.5 a step, to where no weights survive it.
        var options = Lora with
        {
            Method = TrainingMethod.Full, LearningRate = 100, WarmupSteps = 200, Epochs = 50, NonFiniteStepLimit = 3, MaxGradientNorm = 0, SaveSteps = 1, KeepCheckpoints = 8,
        };
        var observer = new RecordingObserver();
        var error = Record.Exception(() => _run.Train(options, observer));
        Assert.True(error is null or TrainingDivergedException { Rollbacks: 2 }, error?.ToString());
        Assert.Contains(observer.Log, line => line.Contains("goes back to checkpoint step-", StringComparison.Ordinal));
        var told = observer.Metrics.ToLookup(m => (m.Step, m.Rollbacks));
        Assert.All(told, step => Assert.Single(step));
        var again = observer.Metrics.First(m => m.Rollbacks == 1);
        Assert.Equal(0.5 * 0.5 * again.Step, again.LearningRate, 1e-12);
        Assert.True(again.Step <= observer.Metrics.Where(m => m.Rollbacks == 0).Max(m => m.Step));
        Assert.Equal(told[(again.Step, 0)].SingleOrDefault()?.Loss ?? again.Loss, again.Loss);
        Assert.Equal(again.Step - 1, observer.RolledBack[0].Step);
    }

    [Fact]
    public void A_full_disk_costs_checkpoints_but_not_the_run()
    {
        var observer = new RecordingObserver();
        var result = _run.Train(Lora with { Epochs = 2, SaveSteps = 1 }, observer, beforeOperation: operation => _ = operation.StartsWith("write the manifest", StringComparison.Ordinal)
            && observer.Metrics[^1].Step is > 2 and < 6 ? throw new IOException("No space left on device") : 0);
        Assert.Equal([1, 2, 6, 7, 8], observer.Checkpoints.Select(c => c.Step));
        Assert.Equal(3, observer.Log.Count(line => line.Contains("No space left", StringComparison.Ordinal)));
        Assert.Equal(TrainingOutcome.Completed, result.Outcome);
    }

    [Fact]
    public void Best_weights_become_the_result()
    {
        // One of four letters is the answer: that much holds for the evaluation rows as well, and then the answers by heart, which are others there, make it ever worse.
        static JsonObject Row(int i, int shift) => new() { ["prompt"] = $"Number {i}", ["completion"] = "abcd".Substring((i + shift) % 4, 1) };
        _run.WriteRows(Enumerable.Range(0, 16).Select(i => Row(i, 0)));
        _run.EvaluationFile = Path.Combine(_run.Root, "other.jsonl");
        File.WriteAllLines(_run.EvaluationFile, Enumerable.Range(0, 16).Select(i => Row(i, 1).ToJsonString()));
        var observer = new RecordingObserver();
        var options = Lora with { Method = TrainingMethod.Full, LearningRate = 1e-2, LearningRateDecay = LearningRateDecay.Constant, Epochs = 14 };
        var result = _run.Train(options, observer);
        var best = observer.Evaluations.MinBy(e => e.Loss)!;
        Assert.True(best.Loss < 0.6 * observer.Evaluations[^1].Loss, $"{best.Loss} and then {observer.Evaluations[^1].Loss}");
        Assert.Equal((best.Step, best.Loss, best.TokenAccuracy), (result.WrittenStep!.Value, result.EvaluationLoss!.Value, result.EvaluationAccuracy!.Value));
        Assert.Equal(result.Steps, _run.Train(options with { UseBestCheckpoint = false }, new RecordingObserver()).WrittenStep);
    }

    [Fact]
    public void Early_stopping_takes_the_best_weights()
    {
        var observer = new RecordingObserver();
        // Training and evaluation rows are random text to a random model: what it learns by heart does not help, so the loss soon rises.
        var options = Lora with { LearningRate = 5e-2, Epochs = 40, EvaluationSplit = 0.5, EarlyStopping = new EarlyStoppingOptions { Patience = 2 } };
        var result = _run.Train(options, observer);
        Assert.True(result.Steps < result.TotalSteps);
        var best = observer.Evaluations.MinBy(e => e.Loss)!;
        Assert.Equal(best.Step, result.WrittenStep);
        Assert.Equal(best.Loss, result.EvaluationLoss);
        Assert.Equal(2, observer.Evaluations.Count(e => e.Step > best.Step));
    }

    [Fact]
    public void Cancelled_run_stops_before_the_next_micro_step()
    {
        using var cancellation = new CancellationTokenSource();
        var observer = new RecordingObserver { AfterStep = m => { if (m.Step == 2) { cancellation.Cancel(); } } };
        Assert.Throws<OperationCanceledException>(() => _run.Train(Lora, observer, control: new TrainingControl(cancellation.Token)));
        Assert.Equal(2, observer.Metrics.Count);
    }

    [Theory]
    [InlineData(TrainingMethod.Lora)]
    [InlineData(TrainingMethod.QLora)]
    [InlineData(TrainingMethod.Full)]
    public void Result_is_written_and_verified(TrainingMethod method)
    {
        // What an attempt that was killed while it wrote left there.
        var torn = Path.Combine(Directory.CreateDirectory(_run.Files().OutputFolder).FullName, "model.safetensors.0123.tmp");
        File.WriteAllText(torn, "");
        var result = _run.Train(Lora with { Method = method }, new RecordingObserver());
        Assert.False(File.Exists(torn));
        Assert.Equal(0, result.Verification!.NonFiniteTensors);
        Assert.Equal(0, result.Verification.MaxLogitDifference);
        Assert.Equal(8, result.Verification.PromptsTried);
        Assert.True(File.Exists(Path.Combine(result.OutputFolder!, method == TrainingMethod.Full ? "tokenizer.json" : "adapter_config.json")));
    }

    [Fact]
    public void A_model_with_more_rows_than_its_tokenizer_has_tokens_writes_samples()
    {
        using var wide = new SmallRun(ModelConfig.ForLlama(2048, 32, 1, 2, 2, 48, 128, bosTokenId: 256, eosTokenId: 257));
        var observer = new RecordingObserver();
        wide.Train(Lora with { EvaluationSplit = 0.5, EvaluationSamples = 4 }, observer);
        Assert.Equal(4, observer.Samples.Count);
    }

    [Fact]
    public void Overfitted_answers_end_by_themselves()
    {
        _run.WriteRows(Enumerable.Range(0, 4).Select(i => new JsonObject { ["prompt"] = $"{i}", ["completion"] = "yes" }));
        _run.EvaluationFile = _run.TrainingFile;
        var observer = new RecordingObserver();
        var result = _run.Train(Lora with { Method = TrainingMethod.Full, Epochs = 40 }, observer);
        Assert.Equal(4, result.Verification!.PromptsTried);
        Assert.Equal(4, result.Verification.PromptsEnded);
        Assert.Equal(4, result.Verification.PromptsExact);
        Assert.Equal(1.0, observer.Evaluations[^1].TokenAccuracy);
        Assert.Equal(16, observer.Evaluations[^1].Tokens); // "yes" and the end token, four times
        Assert.Equal(result.EvaluationLoss, observer.Evaluations[^1].Loss);
        Assert.Equal(("yes", "yes"), (observer.Samples[^1].Completion, observer.Samples[^1].Expected));
    }

    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        long LiveAfter(int step)
        {
            var live = 0L;
            var observer = new RecordingObserver { AfterStep = m => { if (m.Step == step) { live = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount; } } };
            _run.Train(Lora with { Epochs = 26, SaveSteps = 20, EvaluationSamples = 1, GradientAccumulationSteps = 2, BatchSize = 2 }, observer, $"leak-{step}");
            return live;
        }

        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Assert.Equal(LiveAfter(3), LiveAfter(103));
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [Fact]
    public async Task Two_runs_at_once_do_not_disturb_each_other()
    {
        var options = Lora with { Lora = Lora.Lora with { Dropout = 0.3 } };
        var alone = _run.Losses(options, "alone");
        var both = await Task.WhenAll(Task.Run(() => _run.Losses(options, "one")), Task.Run(() => _run.Losses(options with { Seed = 3 }, "two")));
        Assert.Equal(alone, both[0]);
        Assert.NotEqual(alone, both[1]);
    }

    [Fact]
    public void A_run_that_begins_with_an_adapter_takes_its_shape()
    {
        var shape = new LoraOptions
        {
            Rank = 4, Alpha = 8, UseRslora = true, Dropout = 0.5, TargetModules = ["q_proj", "model.layers.1.mlp.up_proj"],
            RankPattern = new Dictionary<string, int> { ["up_proj"] = 2 }, AlphaPattern = new Dictionary<string, double> { ["layers.0.self_attn.q_proj"] = 3 },
        };
        var folder = Path.Combine(_run.Root, "initial");
        using (var model = DecoderModel.Load(_run.BaseModel))
        using (var adapter = LoraAdapter.Create(model, shape, seed: 1))
        {
            adapter.SavePeft(folder, "test/small");
        }

        var files = _run.Files() with { InitialAdapterFolder = folder };
        LoraRecipe Recipe() => new(Lora with { MaxSteps = 1 }, files, new RecordingObserver(), new TrainingControl(), TimeProvider.System);
        Assert.Equal(2 * 4 * (32 + 32) + 2 * (32 + 64), Recipe().Estimate().TrainableParameters);
        var output = Recipe().Train().OutputFolder!;
        Assert.Equivalent(shape with { Dropout = Lora.Lora.Dropout }, LoraAdapter.ReadPeftOptions(output, ModelConfig.Read(_run.BaseModel)), strict: true);
    }

    public void Dispose() => _run.Dispose();

    private static byte[][] Snapshot(DecoderModel model) =>
        [.. model.parameters().Concat(model.Linears.Values.Select(l => l.DenseWeight())).Select(p => p.bytes.ToArray())];

    [Fact]
    public void An_answer_ends_with_the_tokenizers_end_token_where_the_config_names_another()
    {
        using var run = new SmallRun(ModelConfig.ForLlama(259, 32, 2, 4, 2, 64, 128, bosTokenId: 256, eosTokenId: 258));
        run.WriteRows(Enumerable.Range(0, 16).Select(i => new JsonObject { ["prompt"] = $"{i}?", ["completion"] = "yes" }));
        var options = new TrainingOptions { Method = TrainingMethod.Full, Epochs = 20, BatchSize = 8, LearningRate = 1e-2 };
        var verification = run.Train(options, new RecordingObserver()).Verification!;
        Assert.Equal((8, 8, 8), (verification.PromptsTried, verification.PromptsEnded, verification.PromptsExact));
    }

    private static void AssertClose(IReadOnlyList<double> expected, IReadOnlyList<double> actual, double relative)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i], actual[i], relative * expected[i]);
        }
    }
}
