using System.Diagnostics;
using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Evaluation;
using LangTrain.Training.Optimization;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Training.Estimation;

/// <summary>What the parts of a run take on this machine as busy as it is, in seconds.</summary>
/// <param name="PassSeconds">Forward and backward of a micro-batch.</param>
/// <param name="UpdateSeconds">Clipping and optimizer.</param>
/// <param name="EvaluationSeconds">A micro-batch without gradient.</param>
/// <param name="GenerationSeconds">A token that the model writes, of as many answers together as a result is checked with.</param>
/// <remarks>
/// Measured with random models of the same kind on rows of the run's own. Two blocks and a part of the vocabulary stand in for a model that is not small, narrower where a processor
/// would take long over wide ones. All of it then takes longer in proportion to the weights: a busy machine makes the estimate wrong by as much as it made the measurement, which the
/// differences between measurements, times the number of blocks, would not be.
/// </remarks>
internal sealed record RunSpeed(double PassSeconds, double UpdateSeconds, double EvaluationSeconds, double GenerationSeconds)
{
    private const long SmallModel = 24L << 20, WideLayer = 16L << 20, OperationsOfPass = 20_000_000_000;
    private const int MeasuredLayers = 2, LargestVocabulary = 8192, GeneratedTokens = 8;
    private const double WarmUpSeconds = 0.1, MeasuredSeconds = 0.2;

    /// <summary>Measures.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="config">The model.</param>
    /// <param name="memory">Its sizes.</param>
    /// <param name="rows">A micro-batch of the run.</param>
    /// <param name="examples">What it indexes into.</param>
    public static RunSpeed Measure(TrainingOptions options, ModelConfig config, TrainingMemory memory, int[][] rows, ITokenizedExamples examples)
    {
        try
        {
            if (memory.ModelParameters <= SmallModel)
            {
                return MeasureModel(options, config, rows, examples).Speed;
            }

            var part = config with { LayerCount = Math.Min(config.LayerCount, MeasuredLayers), VocabularySize = Math.Min(config.VocabularySize, LargestVocabulary) };
            while (LayerWeights(part) > WideLayer && ComputeTarget.Of(options, config).Device.type == TorchSharp.DeviceType.CPU
                && part is { HiddenSize: var c, FeedForwardSize: var f, QueryHeads: var h, KeyValueHeads: var k } && c % 2 == 0 && f % 2 == 0 && h % 2 == 0 && (k == 1 || k % 2 == 0))
            {
                part = part with { HiddenSize = c / 2, FeedForwardSize = f / 2, QueryHeads = h / 2, KeyValueHeads = Math.Max(1, k / 2) };
            }

            var (speed, trainable) = MeasureModel(options, part, rows, examples);
            var times = MultipliedWeights(config) / MultipliedWeights(part);
            return new RunSpeed(
                speed.PassSeconds * times, speed.UpdateSeconds * memory.TrainableParameters / trainable, speed.EvaluationSeconds * times, speed.GenerationSeconds * times);
        }
        finally
        {
            TorchSetup.ReleaseMemory();
        }
    }

    /// <summary>What a pass multiplies a token by.</summary>
    private static double MultipliedWeights(ModelConfig config) => (double)config.LayerCount * LayerWeights(config) + (double)config.VocabularySize * config.HiddenSize;

    private static long LayerWeights(ModelConfig config) =>
        (2L * config.QueryHeads + 2L * config.KeyValueHeads) * config.HeadSize * config.HiddenSize + 3L * config.FeedForwardSize * config.HiddenSize;

    private static (RunSpeed Speed, long Trainable) MeasureModel(TrainingOptions options, ModelConfig config, int[][] rows, ITokenizedExamples examples)
    {
        using var scope = NewDisposeScope();
        using var trainee = Create(options, config);
        trainee.ActivationCheckpointing = options.ActivationCheckpointing;
        var isOfPairs = options.Objective == TrainingObjective.Dpo;
        var operations = 6.0 * trainee.Model.ParameterCount * rows.Max(row => row.Sum(examples.LengthOf));
        var part = (int)Math.Clamp(OperationsOfPass / operations, isOfPairs ? 2 : 1, rows.Length) / (isOfPairs ? 2 : 1) * (isOfPairs ? 2 : 1);
        var batch = Fold(MicroBatch.Build(rows[..part], examples, trainee.Model.Device), config.VocabularySize);
        using var optimizer = new AdamW(trainee.Parameters, new(options.AdamBeta1, options.AdamBeta2, options.AdamEpsilon, options.WeightDecay));
        using var dropout = new Generator(1, trainee.Model.Device);
        var reference = zeros([part], ScalarType.Float64, trainee.Model.Device);
        (IReadOnlyList<int>, int)[] prompts = [.. Enumerable.Repeat(((IReadOnlyList<int>)[0, 1, 2, 3], GeneratedTokens), ResultVerifier.Prompts)];
        var scale = (double)rows.Length / part;
        var speed = new RunSpeed(
            scale * Time(() => isOfPairs
                ? trainee.AccumulatePreferences(batch, reference, TrainingOptions.DefaultBeta, 1.0 / part, dropout).Losses.sum()
                : trainee.Accumulate(batch, 1.0 / batch.TrainedTokens, dropout)),
            Time(() =>
            {
                var norm = GradientClip.Norm(trainee.Parameters);
                GradientClip.Clip(trainee.Parameters, norm.item<float>(), options.MaxGradientNorm);
                optimizer.Step(1e-6);
                return norm;
            }),
            scale * Time(() => isOfPairs ? trainee.LogProbabilities(batch).sum() : trainee.Evaluate(batch).LossSum),
            Time(() => tensor(GreedyDecoder.Complete(trainee.Model, trainee.Adapters, prompts, [], CancellationToken.None).Count)) / GeneratedTokens);
        return (speed, trainee.Parameters.Sum(p => p.Value.numel()));
    }

    private static Trainee Create(TrainingOptions options, ModelConfig config)
    {
        var target = ComputeTarget.Of(options, config);
        var load = options.Method == TrainingMethod.Full ? FullRecipe.LoadOptions(target) : LoraRecipe.LoadOptions(options, target);
        var model = DecoderModel.Create(config, seed: 1, load);
        // A target may name one block's layer, which a model of fewer blocks need not have.
        var lora = options.Lora with { TargetModules = [.. options.Lora.TargetModules.Select(name => name[(name.LastIndexOf('.') + 1)..])] };
        return options.Method == TrainingMethod.Full ? FullRecipe.Wrap(model, target) : LoraRecipe.Wrap(model, options with { Lora = lora }, target, baseModelName: "");
    }

    /// <summary>The micro-batch with ids that a smaller vocabulary has.</summary>
    private static MicroBatch Fold(MicroBatch batch, int vocabulary) => batch with
    {
        Ids = batch.Ids.remainder(Scalars.Of(vocabulary)), Targets = batch.Targets.remainder(Scalars.Of(vocabulary)),
    };

    /// <summary>The median time of a pass, after some that compile and allocate what later ones find.</summary>
    private static double Time(Func<Tensor> pass)
    {
        var begun = Stopwatch.GetTimestamp();
        do
        {
            Pass();
        }
        while (Stopwatch.GetElapsedTime(begun).TotalSeconds < WarmUpSeconds);

        var seconds = new List<double>();
        do
        {
            seconds.Add(Pass());
        }
        while (seconds.Sum() < MeasuredSeconds || seconds.Count < 2);
        seconds.Sort();
        return seconds[(seconds.Count - 1) / 2];

        double Pass()
        {
            using var scope = NewDisposeScope();
            var start = Stopwatch.GetTimestamp();
            _ = pass().cpu(); // waits for the device
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }
}
