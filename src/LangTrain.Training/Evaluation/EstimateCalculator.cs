using System.Diagnostics;
using LangTrain.Modeling;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Training.Evaluation;

/// <summary>Works out what a run will take from the shapes in the model's files, the tokenized data, and a short measurement of the device.</summary>
internal static class EstimateCalculator
{
    private const int Fp32Bytes = 4;
    // NF4: half a byte a weight, an 8-bit scale a block of 64, a fp32 scale a block of 256 scales (arXiv:2305.14314, section 3).
    private const double Nf4BytesPerWeight = 0.5 + 1.0 / 64 + 4.0 / (64 * 256);
    // What autograd keeps for backward in a decoder layer, in multiples of hidden and feed-forward width, counted from the operators of one block.
    private const int KeptHiddenPerLayer = 16;
    private const int KeptFeedForwardPerLayer = 5;
    // Norms, softmax and memory traffic take the rest of a step's time.
    private const double MatmulShareOfStep = 0.6;
    // libtorch, .NET and the allocator's reserve.
    private const long ProcessBytes = 400L << 20;

    public static TrainingEstimate Calculate(TrainingOptions options, TrainingFiles files, TrainingData data)
    {
        var config = ModelConfig.Read(files.BaseModelFolder);
        var weights = Weights(files.BaseModelFolder);
        var modelParameters = weights.Sum(w => w.Elements);
        var quantizable = weights.Where(w => w.IsLayerMatrix).Sum(w => w.Elements);
        var trainable = options.Method == TrainingMethod.Full
            ? modelParameters
            : weights.Where(w => w.IsTargetOf(options.Lora)).Sum(w => (long)options.Lora.Rank * w.Sides + (options.Lora.UseDora ? w.Rows : 0));

        var planner = data.Planner(options);
        var totalSteps = Math.Min(planner.CountSteps(options.Epochs), options.MaxSteps ?? int.MaxValue);
        var firstEpoch = planner.PlanEpoch(0);
        var tokensPerEpoch = Total(data.Training.Count, data.Training.LengthOf);
        var paddedTokensPerEpoch = firstEpoch.Sum(s => s.MicroBatches.Sum(m => (long)m.Length * m.Max(r => r.Sum(data.Training.LengthOf))));
        var largestMicroBatch = firstEpoch.Max(s => s.MicroBatches.Max(m => (long)m.Length * m.Max(r => r.Sum(data.Training.LengthOf))));

        var weightBytes = options.Method == TrainingMethod.QLora
            ? (long)(quantizable * Nf4BytesPerWeight) + (modelParameters - quantizable) * Fp32Bytes
            : modelParameters * Fp32Bytes;
        var keptPerToken = (long)config.LayerCount * (KeptHiddenPerLayer * config.HiddenSize + KeptFeedForwardPerLayer * config.FeedForwardSize) * Fp32Bytes;
        var learningBytes = trainable * 3 * Fp32Bytes; // gradient and two moments; an adapter's own weight is small beside them
        var logitBytes = 3L * Math.Min(32L << 20, largestMicroBatch * config.VocabularySize * Fp32Bytes);

        // Forward 2, backward for activations 2, backward for weights 2 operations a weight and token; frozen weights need no third (arXiv:2001.08361).
        var operationsPerToken = 4.0 * modelParameters + 2.0 * trainable;
        var tokens = (double)paddedTokensPerEpoch * totalSteps / Math.Max(1, firstEpoch.Count);
        return new TrainingEstimate
        {
            Examples = data.Training.Count,
            EvaluationExamples = data.Evaluation?.Count ?? 0,
            TooLongExamples = data.TooLongExamples,
            TokensPerEpoch = tokensPerEpoch,
            TrainedTokensPerEpoch = Total(data.Training.Count, data.Training.TrainedTokensOf),
            TotalSteps = totalSteps,
            TrainableParameters = trainable,
            ModelParameters = modelParameters,
            MemoryBytes = ProcessBytes + weightBytes + learningBytes + largestMicroBatch * keptPerToken + logitBytes,
            Duration = TimeSpan.FromSeconds(tokens * operationsPerToken / (MatmulRate() * MatmulShareOfStep)),
        };
    }

    private static long Total(int count, Func<int, int> of)
    {
        var sum = 0L;
        for (var i = 0; i < count; i++)
        {
            sum += of(i);
        }

        return sum;
    }

    private static List<Weight> Weights(string folder)
    {
        var weights = new List<Weight>();
        foreach (var path in Directory.GetFiles(folder, "*.safetensors"))
        {
            using var file = SafetensorsFile.Open(path);
            weights.AddRange(file.Entries.Select(e => new Weight(e.Name, [.. e.Shape])));
        }

        return weights;
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

    private sealed record Weight(string Name, long[] Shape)
    {
        public long Elements => Shape.Aggregate(1L, (product, side) => product * side);
        public long Sides => Shape.Sum();
        public long Rows => Shape[0];
        public bool IsLayerMatrix => Shape.Length == 2 && Name.Contains(".layers.", StringComparison.Ordinal);

        public bool IsTargetOf(LoraOptions options)
        {
            if (Shape.Length != 2 || !Name.EndsWith(".weight", StringComparison.Ordinal))
            {
                return false;
            }

            var module = Name[..^".weight".Length];
            return options.TargetModules.Contains("all-linear")
                ? IsLayerMatrix
                : options.TargetModules.Any(t => module == t || module.EndsWith("." + t, StringComparison.Ordinal));
        }
    }
}
