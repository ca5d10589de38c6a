using System.Text.Json.Nodes;
using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Data;
using LangTrain.Training.Losses;
using LangTrain.Training.Optimization;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Training.Tests.Recipes;

/// <summary>Direct preference optimization, against the formula of the paper worked out another way, and end to end.</summary>
public sealed class PreferenceTests : IDisposable
{
    private static readonly TrainingOptions Dpo = new()
    {
        Objective = TrainingObjective.Dpo, Lora = new LoraOptions { Rank = 4, Alpha = 8, TargetModules = ["all-linear"] }, Beta = 0.5, Epochs = 6, BatchSize = 4, LearningRate = 1e-2,
    };

    private readonly SmallRun _run = new();

    public PreferenceTests() => _run.WriteRows(Enumerable.Range(0, 12).Select(i => new JsonObject
    {
        ["prompt"] = $"Number {i * 7 % 31}", ["chosen"] = new string('y', 2 + i % 3), ["rejected"] = $"not {i}",
    }));

    [Fact]
    public void Loss_of_known_log_probabilities_is_that_of_the_paper()
    {
        using var scope = NewDisposeScope();
        // Two pairs, by hand: margins 0.1 * ((-5 + 6) - (-7 + 7)) = 0.1 and 0.1 * ((-4 + 1) - (-9 + 12)) = -0.6.
        var loss = PreferenceLoss.Of(tensor(new[] { -5.0, -7, -4, -9 }), tensor(new[] { -6.0, -7, -1, -12 }), beta: 0.1);
        Assert.Equal([0.1, -0.6], loss.Margins.data<double>().Select(m => Math.Round(m, 12)));
        Assert.Equal([Math.Log(1 + Math.Exp(-0.1)), Math.Log(1 + Math.Exp(0.6))], loss.Losses.data<double>(), (a, b) => Math.Abs(a - b) < 1e-12);
        var (first, second) = (0.1 / (1 + Math.Exp(0.1)), 0.1 / (1 + Math.Exp(-0.6)));
        Assert.Equal([first, -first, second, -second], loss.RowWeights.data<double>(), (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal([1.0, -0.5], loss.Sums().data<double>().Skip(1).Reverse().Select(m => Math.Round(m, 12)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gradients_match_finite_differences_of_the_paper_s_formula(bool full)
    {
        using var scope = NewDisposeScope();
        const double Beta = 0.3;
        var config = ModelConfig.ForLlama(
            vocabularySize: 11, hiddenSize: 8, layerCount: 1, queryHeads: 2, keyValueHeads: 1, feedForwardSize: 12, contextLength: 16, bosTokenId: 0, eosTokenId: 1);
        using var model = DecoderModel.Create(config, seed: 5, new ModelLoadOptions { Dtype = ScalarType.Float64 });
        model.SetTrainable(full);
        using var adapter = LoraAdapter.Create(model, new LoraOptions { Rank = 2, Alpha = 4, TargetModules = ["all-linear"] }, seed: 6);
        using (var generator = new Generator(7))
        using (no_grad())
        {
            foreach (var parameter in adapter.parameters())
            {
                parameter.normal_(0, 0.3, generator);
            }
        }

        using var trainee = full
            ? new PlainTrainee(model, AdapterSelection.None, TrainedParameter.From(model.named_parameters()))
            : new PlainTrainee(model, AdapterSelection.All(adapter), TrainedParameter.From(adapter.named_parameters()));
        var examples = new InMemoryExamples(
        [
            Example([0, 3, 4, 5, 1], from: 2), Example([0, 3, 4, 9], from: 2), Example([0, 7, 2], from: 2), Example([0, 7, 8, 6, 10, 1], from: 2),
        ]);
        int[][] rows = [[0], [1], [2], [3]];
        var batch = MicroBatch.Build(rows, examples, CPU);
        double[] reference = [-5, -6.5, -2, -9];
        using var dropout = new Generator(1);
        var loss = trainee.AccumulatePreferences(batch, tensor(reference), Beta, lossWeight: 0.5, dropout);

        Assert.Equal(Formula(), loss.Losses.sum().item<double>() * 0.5, 1e-12);
        foreach (var parameter in trainee.Parameters)
        {
            for (var i = 0L; i < parameter.Value.numel(); i += Math.Max(1, parameter.Value.numel() / 4))
            {
                Assert.Equal(Difference(parameter.Value, i), parameter.Value.grad!.flatten()[i].item<double>(), 1e-8);
            }
        }

        // Token by token from the full logits, in plain arithmetic.
        double Formula()
        {
            using var inner = NewDisposeScope();
            using var frozen = no_grad();
            var sums = new double[4];
            for (var r = 0; r < 4; r++)
            {
                var example = examples.Read(r);
                var single = MicroBatch.Build([[r]], examples, CPU);
                var logits = trainee.Logits(single)[0].data<double>().ToArray();
                for (var t = 1; t < example.Ids.Length; t++)
                {
                    if (example.IsTrained[t])
                    {
                        var row = logits.AsSpan((t - 1) * 11, 11).ToArray();
                        sums[r] += row[example.Ids[t]] - Math.Log(row.Sum(Math.Exp));
                    }
                }
            }

            double Pair(int chosen, int rejected) =>
                Math.Log(1 + Math.Exp(-Beta * ((sums[chosen] - reference[chosen]) - (sums[rejected] - reference[rejected]))));
            return 0.5 * (Pair(0, 1) + Pair(2, 3));
        }

        double Difference(Tensor parameter, long index)
        {
            using var frozen = no_grad();
            const double Step = 1e-5;
            using var flat = parameter.view(-1);
            var original = flat[index].item<double>();
            flat[index] = tensor(original + Step);
            var above = Formula();
            flat[index] = tensor(original - Step);
            var below = Formula();
            flat[index] = tensor(original);
            return (above - below) / (2 * Step);
        }
    }

    [Theory]
    [InlineData(TrainingMethod.Lora)]
    [InlineData(TrainingMethod.QLora)]
    [InlineData(TrainingMethod.Full)]
    public void Chosen_answers_become_likelier_than_rejected_ones(TrainingMethod method)
    {
        var observer = new RecordingObserver();
        var options = Dpo with { Method = method, EvaluationSplit = 0.25, LearningRate = method == TrainingMethod.Full ? 1e-3 : 1e-2 };
        var result = _run.Train(options, observer);
        // Before the first step the model is its own reference: every margin is 0 and every loss log 2.
        Assert.Equal(Math.Log(2), observer.Losses[0], 1e-5);
        Assert.Equal(0, observer.Metrics[0].RewardMargin!.Value, 1e-4);
        Assert.True(observer.Losses[^1] < 0.5 * Math.Log(2), $"{observer.Losses[^1]}");
        Assert.Equal(1.0, observer.Metrics[^1].RewardAccuracy);
        Assert.True(observer.Metrics[^1].RewardMargin > 0.5);
        Assert.Equal(1.0, observer.Evaluations[^1].TokenAccuracy);
        Assert.True(observer.Evaluations[^1].Loss < Math.Log(2));
        Assert.All(observer.Samples, sample => Assert.DoesNotContain("not", sample.Expected, StringComparison.Ordinal));
        Assert.NotNull(result.Verification);
    }

    [Fact]
    public void Accumulated_pairs_equal_a_batch_of_pairs()
    {
        var batch = _run.Losses(Dpo, "batch");
        var accumulated = _run.Losses(Dpo with { BatchSize = 1, GradientAccumulationSteps = 4 }, "accumulated");
        Assert.Equal(batch.Count, accumulated.Count);
        Assert.All(batch.Zip(accumulated), pair => Assert.Equal(pair.First, pair.Second, 1e-4 * pair.First));
    }

    [Fact]
    public void Rows_that_do_not_fit_the_objective_are_refused()
    {
        Assert.Throws<TrainingDataException>(() => _run.Losses(Dpo with { Objective = TrainingObjective.Sft }));
        _run.WriteRows([new JsonObject { ["prompt"] = "a", ["completion"] = "b" }]);
        Assert.Throws<TrainingDataException>(() => _run.Losses(Dpo, "other"));
        Assert.Equal(2, (Dpo with { Packing = true, LossOn = LossOn.All }).Validate().Count);
    }

    public void Dispose() => _run.Dispose();

    private static TokenizedExample Example(int[] ids, int from) => new(ids, [.. ids.Select((_, i) => i >= from)]);

    private sealed class PlainTrainee(DecoderModel model, AdapterSelection adapters, IReadOnlyList<TrainedParameter> parameters) : Trainee(model, adapters, parameters)
    {
        public override double LogitTolerance => 0;

        public override void Save(string folder) => throw new NotSupportedException();

        public override void Restore(string folder) => throw new NotSupportedException();

        public override Trainee Reload(string folder) => throw new NotSupportedException();

        public override void Dispose()
        {
        }
    }
}
