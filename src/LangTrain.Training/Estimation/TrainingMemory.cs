using LangTrain.Modeling;
using LangTrain.Training.Recipes;
using static TorchSharp.torch;

namespace LangTrain.Training.Estimation;

/// <summary>Reckons a run's peak memory from shapes alone.</summary>
/// <remarks>
/// The terms are what a block keeps, counted from its operators; the constants beside them are measured: see the benchmark
/// <c>memory</c>, which holds this against the peak of real runs.
/// </remarks>
internal sealed class TrainingMemory
{
    private const int Fp32Bytes = 4;
    // libtorch, .NET, and what the allocator holds back.
    private const long ProcessBytes = 240L << 20;
    private readonly TrainingOptions _options;
    private readonly ModelConfig _config;
    private readonly long _quantizable;
    private readonly long _largestMatrix;
    private readonly long _keptByAdapters;
    private readonly int _computeBytes;
    private readonly bool _reordersHead;
    private readonly bool _tracksAttention;

    /// <param name="options">The run's options.</param>
    /// <param name="config">The model.</param>
    /// <exception cref="ArgumentException">The adapter does not fit the model.</exception>
    public TrainingMemory(TrainingOptions options, ModelConfig config)
    {
        (_options, _config) = (options, config);
        var target = ComputeTarget.Of(options, config);
        (_computeBytes, _reordersHead) = (target.Dtype == ScalarType.BFloat16 ? 2 : Fp32Bytes, target is { Dtype: ScalarType.Float32, Int16Products: false });
        _tracksAttention = !IsRecorded && TrackedAttention.Fits(config, target.Dtype, target.Device);

        // On the meta device a model is its shapes: what is tied or dropped is not counted twice, and targets are found as the run finds them.
        using var model = DecoderModel.Create(config, options: new ModelLoadOptions { Device = META });
        ModelParameters = model.ParameterCount;
        _quantizable = options.Method == TrainingMethod.QLora ? model.Linears.Values.Sum(Elements) : 0;
        _largestMatrix = model.Linears.Values.Max(Elements);
        if (options.Method == TrainingMethod.Full)
        {
            TrainableParameters = ModelParameters;
            return;
        }

        var targets = LoraTargets.Resolve(model, options.Lora);
        TrainableParameters = targets.Sum(layer =>
            (long)options.Lora.RankOf(layer.ModuleName) * (layer.InputSize + layer.OutputSize) + (options.Lora.UseDora ? layer.OutputSize : 0));
        _keptByAdapters = targets.Sum(KeptByAdapter);
    }

    public long ModelParameters { get; }

    public long TrainableParameters { get; }

    /// <summary>Peak memory of a step with this micro-batch.</summary>
    /// <param name="rows">Rows.</param>
    /// <param name="width">Tokens of the longest.</param>
    /// <param name="trainedTokens">Tokens that go through the head.</param>
    public long Peak(int rows, int width, int trainedTokens)
    {
        var tokens = (long)rows * width;
        // NF4: half a byte a weight, an 8-bit scale a block of 64, a fp32 scale a block of 256 scales (arXiv:2305.14314, section 3).
        var weights = (ModelParameters - _quantizable) * (_options.Method == TrainingMethod.Full ? Fp32Bytes : _computeBytes)
            + (long)(_quantizable * (0.5 + 1.0 / 64 + 4.0 / (64 * 256)));
        // A dense copy of the matrix at work, and what it is made of.
        var dequantized = _quantizable > 0 ? 4 * _largestMatrix * Fp32Bytes : 0;
        // Gradient and two moments; an adapter's own weights are not among the model's.
        var learning = TrainableParameters * (_options.Method == TrainingMethod.Full ? 3 : 4) * Fp32Bytes;
        var kept = (KeptPerToken + (_config.AttentionSoftCap is null ? 0 : CappedPerToken(width))) * _config.LayerCount + _keptByAdapters;
        var layers = _options.ActivationCheckpointing ? kept / _config.LayerCount + (long)_config.LayerCount * Fp32Bytes * _config.HiddenSize : kept;
        // A block's scores and their gradients, where they are written out.
        var scores = _config.AttentionSoftCap is null ? 0 : 4L * _config.QueryHeads * width * Fp32Bytes;
        // Of a chunk: logits, log-softmax and its exponential; and the head in the order that products read fastest, where they are not made of integers.
        var head = 3L * Math.Min(16L << 20, (long)trainedTokens * _config.VocabularySize * Fp32Bytes)
            + (_reordersHead ? (long)_config.VocabularySize * _config.HiddenSize * Fp32Bytes : 0);
        return ProcessBytes + weights + dequantized + learning + (layers + WorkPerToken + MaskPerToken(width) + scores) * tokens + head;
    }

    /// <summary>Peak memory of a run of these micro-batches: that of the largest, and where they are of several sizes the blocks that wait for the next of theirs.</summary>
    /// <param name="microBatches">Rows, tokens of the longest, tokens that go through the head.</param>
    public long Peak(IReadOnlyCollection<(int Rows, int Width, int TrainedTokens)> microBatches)
    {
        var peak = microBatches.Max(batch => Peak(batch.Rows, batch.Width, batch.TrainedTokens));
        return microBatches.DistinctBy(batch => batch.Width).Count() > 1 ? peak + LargeBlocks.MostWaiting(peak - ProcessBytes) : peak;
    }

    /// <summary>Whether autograd records the passes, which keeps more than a gradient derived by hand.</summary>
    private bool IsRecorded => _config.ModelType == "gpt2" || (_options.Lora.UseDora && _options.Method != TrainingMethod.Full);

    /// <summary>
    /// Bytes that a block keeps of a token for its backward pass: the residual stream twice, what attention was given and gave, both feed-forward products;
    /// with norms behind each part what those were given, with norms of heads the heads as well. Recorded, the steps in between too.
    /// </summary>
    private long KeptPerToken => _config.ModelType == "gpt2" ? (6L * _config.HiddenSize + 2L * _config.FeedForwardSize) * _computeBytes
        : IsRecorded ? (6L * _config.HiddenSize + (2L * _config.QueryHeads + 2L * _config.KeyValueHeads) * _config.HeadSize + 3L * _config.FeedForwardSize) * _computeBytes
        : (_config.Norms == NormPlacement.Before ? 2L : 4L) * Fp32Bytes * _config.HiddenSize
            + (long)(_config.QueryHeads + _config.KeyValueHeads) * _config.HeadSize * (2 * (_tracksAttention ? Fp32Bytes : _computeBytes) + (_config.QueryKeyNorm ? _computeBytes : 0))
            + 2L * _config.FeedForwardSize * _computeBytes;

    /// <summary>
    /// Bytes that an adapted layer keeps of a token besides: the low-rank product; with dropout the mask, and where autograd records it what the mask left;
    /// with DoRA both products that the gain is multiplied by.
    /// </summary>
    private long KeptByAdapter(LinearLayer layer)
    {
        var (dropout, dora) = (_options.Lora.Dropout > 0, _options.Lora.UseDora);
        return (_options.Lora.RankOf(layer.ModuleName) + (dropout ? (IsRecorded ? 2L : 1L) * layer.InputSize : 0) + (dora ? 2L * layer.OutputSize : 0)) * _computeBytes;
    }

    /// <summary>Bytes that capped attention keeps of a token besides: scores and weights in full, and key and value of every query head.</summary>
    private long CappedPerToken(int width) => 2L * _config.QueryHeads * width * Fp32Bytes + 3L * _config.QueryHeads * _config.HeadSize * _computeBytes;

    /// <summary>Bytes of a token's line in the mask that says who attends to whom, for attention that needs it where causal order does not say it all.</summary>
    private long MaskPerToken(int width) => !_tracksAttention && (_options.Packing || width > _config.SlidingWindow) ? (long)width * _computeBytes : 0;

    /// <summary>Bytes of a token in the block at work: its values once more, and their gradients; of what autograd records the values are counted as kept.</summary>
    private long WorkPerToken => (IsRecorded ? 4L * _config.HiddenSize + 3L * _config.FeedForwardSize : 8L * _config.HiddenSize + 5L * _config.FeedForwardSize) * Fp32Bytes;

    private static long Elements(LinearLayer layer) => (long)layer.InputSize * layer.OutputSize;
}
