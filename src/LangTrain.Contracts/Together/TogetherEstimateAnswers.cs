namespace LangTrain.Contracts.Together;

/// <summary>What a fine-tune would cost.</summary>
public sealed record TogetherPriceAnswer
{
    /// <summary>False where the data cannot be trained on.</summary>
    public required bool EstimationAvailable { get; init; }

    /// <summary><c>train_file_invalid</c>, where there is no estimate.</summary>
    public string? UnavailableReason { get; init; }

    /// <summary>Whether a worker has the memory for it.</summary>
    public bool? AllowedToProceed { get; init; }

    /// <summary>Price, US dollars.</summary>
    public decimal? EstimatedTotalPrice { get; init; }

    /// <summary>Tokens that pass through the model over all steps.</summary>
    public long? EstimatedTrainTokenCount { get; init; }
}

/// <summary>What fine-tunes of a model may ask for.</summary>
public sealed record TogetherLimitsAnswer
{
    /// <summary>The model.</summary>
    public required string ModelName { get; init; }

    /// <summary>Most passes over the data.</summary>
    public required int MaxNumEpochs { get; init; }

    /// <summary>Most checkpoints that can be asked for; the worker stores more by time.</summary>
    public required int MaxNumCheckpoints { get; init; }

    /// <summary>Most evaluations: one an epoch.</summary>
    public required int MaxNumEvals { get; init; }

    /// <summary>Highest learning rate.</summary>
    public required double MaxLearningRate { get; init; }

    /// <summary>The learning rate is greater than this.</summary>
    public required double MinLearningRate { get; init; }

    /// <summary>Longest row in tokens.</summary>
    public required int MaxSeqLengthSft { get; init; }

    /// <summary>Longest row in tokens, with preferences.</summary>
    public required int MaxSeqLengthDpo { get; init; }

    /// <summary>Least value of <c>max_seq_length</c>.</summary>
    public required int MinMaxSeqLength { get; init; }

    /// <summary>Micro-batches of one optimizer step where the request does not say.</summary>
    public required int DefaultGradientAccumulationSteps { get; init; }

    /// <summary>Whether all weights can be trained.</summary>
    public required bool SupportsFullTraining { get; init; }

    /// <summary>Whether its chats may hold tool calls.</summary>
    public required bool SupportsTools { get; init; }

    /// <summary>No.</summary>
    public bool SupportsReasoning { get; init; }

    /// <summary>No.</summary>
    public bool SupportsVision { get; init; }

    /// <summary>No: merged weights are an export.</summary>
    public bool MergeOutputLora { get; init; }

    /// <summary>Of adapters.</summary>
    public required TogetherLoraLimits LoraTraining { get; init; }

    /// <summary>Of all weights; absent where they cannot be trained.</summary>
    public TogetherFullLimits? FullTraining { get; init; }
}

/// <summary>Limits of adapters.</summary>
/// <param name="MaxBatchSize">Most rows of a micro-batch.</param>
/// <param name="MaxBatchSizeDpo">The same with preferences.</param>
/// <param name="MinBatchSize">Fewest.</param>
/// <param name="MaxRank">Highest rank.</param>
/// <param name="TargetModules">Layers that can have adapters.</param>
public sealed record TogetherLoraLimits(int MaxBatchSize, int MaxBatchSizeDpo, int MinBatchSize, int MaxRank, IReadOnlyList<string> TargetModules);

/// <summary>Limits of training all weights.</summary>
/// <param name="MaxBatchSize">Most rows of a micro-batch.</param>
/// <param name="MaxBatchSizeDpo">The same with preferences.</param>
/// <param name="MinBatchSize">Fewest.</param>
public sealed record TogetherFullLimits(int MaxBatchSize, int MaxBatchSizeDpo, int MinBatchSize);

/// <summary>The first rows of a file as a model would be trained on them.</summary>
/// <param name="DatasetFormat"><c>conversation</c>, <c>instruction</c> or <c>general</c>.</param>
/// <param name="MaxSeqLength">Longest row in tokens.</param>
/// <param name="Model">The model whose tokenizer made the tokens.</param>
/// <param name="TrainOnInputs">Whether prompts are trained on.</param>
/// <param name="Rows">Rows from the first.</param>
public sealed record TogetherPreviewAnswer(string DatasetFormat, int MaxSeqLength, string Model, bool TrainOnInputs, IReadOnlyList<TogetherPreviewRow> Rows);

/// <summary>Tokens of a row.</summary>
/// <param name="InputIds">Token ids.</param>
/// <param name="Labels">The same where it is learned, -100 elsewhere.</param>
/// <param name="Tokens">Text of each.</param>
/// <param name="TrainedSpans">Half-open ranges of tokens that are learned.</param>
/// <param name="NumTokens">How many there are.</param>
/// <param name="NumTrainedTokens">How many are learned.</param>
/// <param name="Truncated">Whether a training would cut it.</param>
public sealed record TogetherPreviewRow(
    IReadOnlyList<int> InputIds, IReadOnlyList<int> Labels, IReadOnlyList<string> Tokens, IReadOnlyList<IReadOnlyList<int>> TrainedSpans, int NumTokens, int NumTrainedTokens, bool Truncated);
