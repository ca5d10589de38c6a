using LangTrain.Modeling;
using LangTrain.Training.Batches;
using LangTrain.Training.Evaluation;
using LangTrain.Training.Recipes;

namespace LangTrain.Training.Estimation;

/// <summary>Works out what a run will take from the model's shapes, the tokenized data, and a short measurement of this machine.</summary>
internal static class EstimateCalculator
{
    // A disk of middling speed, and what flushing and hashing a checkpoint's few files takes besides.
    private const double BytesWrittenInASecond = 250e6, SecondsOfCheckpoint = 0.05;

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
        var planned = epoch.SelectMany(step => step.MicroBatches).ToList();
        var microBatches = planned.ConvertAll(rows => new Batch(rows, data.Training));
        var rowsPerStep = options.BatchSize * options.GradientAccumulationSteps * (options.Objective == TrainingObjective.Dpo ? 2 : 1);
        var stepsOfEpochs = isExact
            ? planner.CountSteps(options.Epochs, options.MaxSteps ?? int.MaxValue)
            : options.Epochs * Math.Ceiling(microBatches.Sum(batch => batch.Rows) * scale / rowsPerStep);
        var totalSteps = (int)Math.Min(stepsOfEpochs, options.MaxSteps ?? int.MaxValue);
        var epochs = isExact ? (double)totalSteps / epoch.Count : options.Epochs * totalSteps / stepsOfEpochs;

        var memory = new TrainingMemory(options, config);
        var tokensPerEpoch = Total(data.Training.Count, data.Training.LengthOf) * scale;
        var evaluationBatches = data.Evaluation is not null ? data.EvaluationPlan.Count : (double)(evaluationRows ?? 0) / options.BatchSize;
        // The micro-batch nearest to the mean stands for all.
        var mean = microBatches.Average(batch => batch.Tokens);
        var typical = planned[microBatches.Select((batch, index) => (Math.Abs(batch.Tokens - mean), index)).Min().index];
        var seconds = Seconds(options, config, data, memory, typical, new Run(totalSteps, epochs, microBatches.Count * scale, evaluationBatches));
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

    /// <summary>The whole run: steps, evaluations and their samples, checkpoints, the reference that preferences are measured against, and the check of the result.</summary>
    private static double Seconds(TrainingOptions options, ModelConfig config, TrainingData data, TrainingMemory memory, int[][] typical, Run run)
    {
        using var threads = new StepThreads(memory.ModelParameters, data.TokensOfMicroBatch(options), ComputeTarget.Of(options, config).Device);
        var speed = RunSpeed.Measure(options, config, memory, typical, data.Training);
        var evaluations = run.EvaluationBatches == 0 ? 0 : Math.Ceiling(options.EvaluationSteps is { } every ? (double)run.Steps / every : run.Epochs);
        var checkpoints = Math.Ceiling(options.SaveSteps is { } steps ? (double)run.Steps / steps : options.Method == TrainingMethod.Full ? run.Epochs : Math.Min(10, run.Steps));
        var checkpointBytes = memory.TrainableParameters * 3 * sizeof(float); // weights and two moments
        var referenceBatches = options.Objective == TrainingObjective.Dpo ? run.EpochBatches + run.EvaluationBatches : 0;
        return run.Epochs * run.EpochBatches * speed.PassSeconds + run.Steps * speed.UpdateSeconds
            + (evaluations * run.EvaluationBatches + referenceBatches) * speed.EvaluationSeconds
            + (evaluations * Evaluator.ExpectedSteps(data, options) + ResultVerifier.ExpectedSteps(data)) * speed.GenerationSeconds
            + checkpoints * (checkpointBytes / BytesWrittenInASecond + SecondsOfCheckpoint);
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

    /// <param name="Steps">Optimizer steps.</param>
    /// <param name="Epochs">Passes over the data, as a fraction.</param>
    /// <param name="EpochBatches">Micro-batches of a pass over the data.</param>
    /// <param name="EvaluationBatches">Micro-batches of an evaluation.</param>
    private sealed record Run(int Steps, double Epochs, double EpochBatches, double EvaluationBatches);

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
