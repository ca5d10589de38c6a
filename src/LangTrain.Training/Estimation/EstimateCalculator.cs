using System.Diagnostics;
using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Training.Estimation;

/// <summary>Works out what a run will take from the model's shapes, the tokenized data, and a short measurement of the device.</summary>
internal static class EstimateCalculator
{
    // Norms, softmax and memory traffic take the rest of a step's time.
    private const double MatmulShareOfStep = 0.6;
    // What the operators of a layer cost before they compute anything, forward and backward.
    private const double SecondsPerLayerPass = 250e-6;

    /// <summary>Works it out.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="files">Where the model is.</param>
    /// <param name="data">The rows at hand.</param>
    /// <param name="trainingRows">Rows that there are, if those at hand stand for more.</param>
    /// <param name="evaluationRows">Evaluation rows that there are, if they are not at hand.</param>
    public static TrainingEstimate Calculate(TrainingOptions options, TrainingFiles files, TrainingData data, long? trainingRows, long? evaluationRows)
    {
        var config = ModelConfig.Read(files.BaseModelFolder);
        var isExact = trainingRows is null || data.Statistics is null || trainingRows <= data.Statistics.Rows;
        var scale = isExact ? 1 : (double)trainingRows!.Value / data.Statistics!.Rows;

        var planner = data.Planner(options);
        var epoch = planner.PlanEpoch(0);
        var microBatches = epoch.SelectMany(step => step.MicroBatches).Select(rows => new Batch(rows, data.Training)).ToList();
        var rowsPerStep = options.BatchSize * options.GradientAccumulationSteps * (options.Objective == TrainingObjective.Dpo ? 2 : 1);
        var stepsOfEpochs = isExact
            ? planner.CountSteps(options.Epochs, options.MaxSteps ?? int.MaxValue)
            : options.Epochs * Math.Ceiling(microBatches.Sum(batch => batch.Rows) * scale / rowsPerStep);
        var totalSteps = (int)Math.Min(stepsOfEpochs, options.MaxSteps ?? int.MaxValue);
        var epochs = isExact ? (double)totalSteps / epoch.Count : options.Epochs * totalSteps / stepsOfEpochs;

        var memory = new TrainingMemory(options, config);
        var tokensPerEpoch = Total(data.Training.Count, data.Training.LengthOf) * scale;
        var seconds = Seconds(memory, config, microBatches.Sum(batch => batch.Tokens) * scale * epochs, microBatches.Count * scale * epochs);
        return new TrainingEstimate
        {
            IsExact = isExact,
            Examples = (long)Math.Round(data.Training.Count * scale),
            EvaluationExamples = evaluationRows ?? data.Evaluation?.Count ?? 0,
            TooLongRows = (long)Math.Round((data.Statistics?.LongRows ?? 0) * scale),
            LongestRowTokens = data.Statistics?.LongestRow ?? 0,
            TokensPerEpoch = (long)Math.Round(tokensPerEpoch),
            TrainedTokensPerEpoch = (long)Math.Round(Total(data.Training.Count, data.Training.TrainedTokensOf) * scale),
            TotalTokens = (long)Math.Round(tokensPerEpoch * epochs),
            TotalSteps = totalSteps,
            TrainableParameters = memory.TrainableParameters,
            ModelParameters = memory.ModelParameters,
            MemoryBytes = memory.Peak([.. microBatches.Select(batch => (batch.Rows, batch.Width, batch.TrainedTokens))]),
            DeviceMemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            Duration = TimeSpan.FromSeconds(seconds),
        };
    }

    /// <summary>Time of training passes on this device.</summary>
    /// <param name="memory">The run's shapes.</param>
    /// <param name="config">The model.</param>
    /// <param name="tokens">Tokens of all passes, padding included.</param>
    /// <param name="passes">Micro-batches.</param>
    internal static double Seconds(TrainingMemory memory, ModelConfig config, double tokens, double passes) =>
        tokens * memory.OperationsPerToken / (MatmulRate() * MatmulShareOfStep) + passes * config.LayerCount * SecondsPerLayerPass;

    private static long Total(int count, Func<int, int> of)
    {
        var sum = 0L;
        for (var i = 0; i < count; i++)
        {
            sum += of(i);
        }

        return sum;
    }

    /// <summary>fp32 operations a second of a matmul of a middling size, the best of a few.</summary>
    private static double MatmulRate()
    {
        const int Size = 512;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var a = ones(Size, Size);
        var best = double.MaxValue;
        for (var i = 0; i < 6; i++)
        {
            var start = Stopwatch.GetTimestamp();
            using var product = a.matmul(a);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * Size * Size * Size / best;
    }

    private sealed record Batch(int Rows, int Width, int TrainedTokens)
    {
        public Batch(int[][] rows, ITokenizedExamples examples)
            : this(rows.Length, rows.Max(row => row.Sum(examples.LengthOf)), rows.Sum(row => row.Sum(examples.TrainedTokensOf)))
        {
        }

        /// <summary>Padding included.</summary>
        public long Tokens => (long)Rows * Width;
    }
}
