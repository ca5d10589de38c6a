using LangTrain.Inference.Engine;
using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Inference.Cpu;

/// <summary>
/// The engine's steps on the CPU with kernels of our own: all new tokens of a step, of rows that generate and of prompts alike, go through the
/// layers together, so that each weight is read from memory once a pass. Every token's numbers are the same to the last bit whatever else is in
/// the step. Owns its key-value cache, not the model.
/// </summary>
/// <remarks>
/// An operator of libtorch costs more than its arithmetic on small models, and its matrix product is far from memory's speed at one to sixteen
/// rows; that is what this path is for. It computes what <see cref="DecoderTokenModel"/> computes, and a test holds the two together.
/// </remarks>
internal sealed unsafe class CpuTokenModel : ITokenModel
{
    /// <summary>Tokens in one pass through the layers; longer steps are several passes.</summary>
    internal const int MaxPassTokens = 256;

    /// <summary>Multiplications that are worth a worker's waking.</summary>
    private const int WorthSharing = 50_000;

    private readonly DecoderModel _model;
    private readonly ModelConfig _config;
    private readonly CpuWeights _weights;
    private readonly KernelThreads _threads;
    private readonly CpuCache _cache;
    private readonly CpuBuffers _buffers;
    private readonly CpuProjection _projection;
    private readonly BFloat16Product? _prompts;
    private readonly float _embeddingScale, _residualScale;
    private readonly PassToken[] _tokens = new PassToken[MaxPassTokens];
    private readonly (int First, int Count)[] _runs = new (int, int)[MaxPassTokens]; // Tokens that attend together.
    private readonly int[] _wanted = new int[CpuBuffers.LogitRows];
    private int _count;
    private bool _isPrompt; // The pass holds long prompts alone.
    private int _runCount;

    // What the workers do now; set before they are woken.
    private Work _work;
    private int _layer;
    private int _logitRows;

    public CpuTokenModel(DecoderModel model, EngineOptions options)
    {
        (_model, _config, _weights) = (model, model.Config, new CpuWeights(model));
        (SlotCount, SlotTokens) = DecoderTokenModel.Fit(_config, options, sizeof(float));
        _threads = new KernelThreads(Math.Max(1, get_num_threads()), Do);
        _cache = new CpuCache(_config, SlotCount, SlotTokens);
        _buffers = new CpuBuffers(_config, MaxPassTokens, SlotTokens, _threads.Count, model.Quantization == Quantization.Int8);
        _projection = new CpuProjection(_tokens);
        if (options.BFloat16Prompts && model.Dtype == ScalarType.BFloat16 && model.Quantization == Quantization.None)
            _prompts = new BFloat16Product(MaxPassTokens, Math.Max(_config.FeedForwardSize, Math.Max(_config.HiddenSize, _config.QueryHeads * _config.HeadSize)), CpuProjection.MaxTargets);
        using var scope = NewDisposeScope();
        var scale = tensor(_config.EmbeddingScale, model.Dtype); // Gemma rounds the factor to the dtype of the embedding.
        _embeddingScale = scale.to(ScalarType.Float32).item<float>();
        _residualScale = (float)_config.ResidualScale;
    }

    private enum Work
    {
        Encode,
        Project,
        LowRank,
        NormForAttention,
        Place,
        Attend,
        NormForFeedForward,
        Activate,
        Logits,
        Narrow,
        Widen,
    }

    /// <inheritdoc/>
    public int VocabularySize => _config.VocabularySize;

    /// <inheritdoc/>
    public int SlotCount { get; }

    /// <inheritdoc/>
    public int SlotTokens { get; }

    /// <inheritdoc/>
    public long CacheBytes => _cache.ByteCount;

    /// <inheritdoc/>
    public void Truncate(int slot, int length)
    {
        // Positions say what counts; what lies behind them is written over before it is read.
    }

    /// <inheritdoc/>
    public void CopyPrefix(int from, int to, int length) => _cache.Copy(from, to, length);

    /// <inheritdoc/>
    public void Forward(IReadOnlyList<StepRow> rows, ILogitsSink sink)
    {
        _count = 0;
        if (_prompts is null)
        {
            Forward(rows, sink, isPrompt: null);
            return;
        }
        Forward(rows, sink, isPrompt: false);
        Forward(rows, sink, isPrompt: true);
    }

    // The rows of one kind, or all.
    private void Forward(IReadOnlyList<StepRow> rows, ILogitsSink sink, bool? isPrompt)
    {
        _isPrompt = isPrompt == true;
        foreach (var row in rows)
        {
            if (isPrompt is { } kind && kind != row.Count >= BFloat16Product.WorthTokens)
                continue;
            var adapter = row.Adapter is { } lora ? CpuAdapter.Of(lora, _model, _weights) : null;
            for (var i = 0; i < row.Count; i++)
            {
                if (_count == MaxPassTokens)
                    Pass(sink);
                _tokens[_count++] = new PassToken(row, i, row.Position + i, row.Tokens[i], adapter);
            }
        }
        if (_count > 0)
            Pass(sink);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _threads.Dispose();
        _cache.Dispose();
        _buffers.Dispose();
        _projection.Dispose();
        _prompts?.Dispose();
    }

    private void Pass(ILogitsSink sink)
    {
        var b = _buffers;
        int hidden = _config.HiddenSize, group = _config.QueryHeads / _config.KeyValueHeads;
        var (positions, adapted) = (0L, false);
        for (var t = 0; t < _count; t++)
        {
            Embed(_tokens[t], b.Residual + (long)t * hidden);
            positions += _tokens[t].Position + 1;
            adapted |= _tokens[t].Adapter is not null;
        }
        FindRuns();
        _projection.Begin(_count, adapted);
        var attention = (int)Math.Min(2 * positions * _config.HeadSize * group / _runCount, int.MaxValue); // Multiplications of one unit.

        for (_layer = 0; _layer < _weights.Layers.Count; _layer++)
        {
            // 1. Attention: x += o(attend(q, k, v)), with q, k, v of the normed x.
            var layer = _weights.Layers[_layer];
            Run(Work.NormForAttention, _count, 2 * hidden);
            _projection.Start(b.Vectors(b.Normed), hidden, (layer.Query, (nint)b.Query), (layer.Key, (nint)b.Key), (layer.Value, (nint)b.Value));
            RunProjection();
            Run(Work.Place, _count, 4 * hidden);
            Run(Work.Attend, _runCount * _config.KeyValueHeads, attention);
            _projection.Start(b.Vectors(b.Attended), layer.AttentionOutput.Weight.Inputs, (layer.AttentionOutput, (nint)b.Normed));
            RunProjection();
            AddToResidual(layer.AfterAttention);

            // 2. Feed-forward: x += down(activation(gate) · up).
            Run(Work.NormForFeedForward, _count, 2 * hidden);
            if (layer.Up is { } up)
                _projection.Start(b.Vectors(b.Normed), hidden, (layer.Gate, (nint)b.Gate), (up, (nint)b.Up));
            else
                _projection.Start(b.Vectors(b.Normed), hidden, (layer.Gate, (nint)b.Gate));
            RunProjection();
            Run(Work.Activate, _count, 8 * _config.FeedForwardSize);
            _projection.Start(b.Vectors(b.Gate), _config.FeedForwardSize, (layer.Down, (nint)b.Normed));
            RunProjection();
            AddToResidual(layer.AfterFeedForward);
        }
        GiveLogits(sink);
        _count = 0;
    }

    // Neighbours of one sequence, which read the same keys and values.
    private void FindRuns()
    {
        _runCount = 0;
        for (var t = 0; t < _count; t++)
        {
            if (_runCount > 0 && _runs[_runCount - 1] is var (first, count) && count < CpuBuffers.AttentionTokens && _tokens[first].Row == _tokens[t].Row)
                _runs[_runCount - 1].Count++;
            else
                _runs[_runCount++] = (t, 1);
        }
    }

    private void Embed(in PassToken token, float* to)
    {
        var hidden = _config.HiddenSize;
        _weights.Embedding.CopyRow(token.Id, to);
        if (_embeddingScale != 1f)
            CpuKernels.Scale(to, _embeddingScale, hidden);
        if (_weights.Positions is not { } positions)
            return;
        positions.CopyRow(token.Position, _buffers.Normed);
        CpuKernels.AddScaled(to, _buffers.Normed, 1f, hidden);
    }

    private void AddToResidual(CpuWeights.Norm? norm)
    {
        var hidden = _config.HiddenSize;
        for (var t = 0; norm is not null && t < _count; t++)
            norm.Apply(_buffers.Normed + (long)t * hidden, _buffers.Normed + (long)t * hidden, (float)_config.NormEpsilon);
        CpuKernels.AddScaled(_buffers.Residual, _buffers.Normed, _residualScale, _count * hidden);
    }

    private void RunProjection()
    {
        if (_projection.NeedsCodes)
            Run(Work.Encode, _count, 4 * _projection.Inputs);
        if (_projection.HasAdapters)
            Run(Work.LowRank, _projection.LowRankUnits, _projection.LowRankCost);
        if (!_isPrompt)
        {
            Run(Work.Project, _projection.Rows, _projection.Inputs * _count);
            return;
        }
        _prompts!.Start(_count);
        Run(Work.Narrow, _count, _projection.Inputs);
        _projection.Multiply(_prompts);
        Run(Work.Widen, _count, _projection.Rows);
    }

    // Units of some cost each, shared where that is worth it; rows of weights in blocks of several times four, which is how many the products take at
    // a time, and in larger ones where many vectors come with them to each core.
    private void Run(Work work, int units, int cost)
    {
        _work = work;
        var block = Math.Max(1, WorthSharing / Math.Max(cost, 1));
        if (work is Work.Project or Work.Logits)
            block = Math.Max(_count <= 16 ? 8 : units < 1024 ? 16 : 32, block + 3 & ~3);
        _threads.Run(units, block);
    }

    // On a worker: nothing here may throw.
    private void Do(int from, int to, int worker)
    {
        var b = _buffers;
        var layer = _layer < _weights.Layers.Count ? _weights.Layers[_layer] : null;
        int hidden = _config.HiddenSize, inner = _config.FeedForwardSize;
        switch (_work)
        {
            case Work.Encode:
                _projection.Encode(from, to);
                break;
            case Work.Project:
                _projection.Multiply(from, to);
                break;
            case Work.LowRank:
                _projection.MultiplyLowRank(from, to);
                break;
            case Work.NormForAttention:
                for (var t = from; t < to; t++)
                    Norm(layer!.AttentionNorm, b.Residual + (long)t * hidden, b.Normed + (long)t * hidden);
                break;
            case Work.NormForFeedForward:
                for (var t = from; t < to; t++)
                    Norm(layer!.FeedForwardNorm, b.Residual + (long)t * hidden, b.Normed + (long)t * hidden);
                break;
            case Work.Place:
                for (var t = from; t < to; t++)
                    Place(layer!, t);
                break;
            case Work.Attend:
                for (var unit = from; unit < to; unit++)
                    Attend(_runs[unit / _config.KeyValueHeads], unit % _config.KeyValueHeads, layer!.IsSliding, b.Scores(worker));
                break;
            case Work.Activate:
                for (var t = from; t < to; t++)
                    CpuKernels.Activate(_config.Activation, b.Gate + (long)t * inner, layer!.Up is null ? null : b.Up + (long)t * inner, inner);
                break;
            case Work.Narrow:
                _projection.Narrow(_prompts!, from, to);
                break;
            case Work.Widen:
                _projection.Widen(_prompts!, from, to);
                break;
            case Work.Logits:
                _weights.Output.Multiply(b.Vectors(b.Normed), b.Logits, _logitRows, _config.VocabularySize, from, to);
                for (var i = 0; _config.LogitSoftCap is { } cap && i < _logitRows; i++)
                    CpuKernels.SoftCap(b.Logits + (long)i * _config.VocabularySize + from, (float)cap, to - from);
                break;
        }
    }

    private void Norm(CpuWeights.Norm? norm, float* from, float* to)
    {
        if (norm is null)
            new ReadOnlySpan<float>(from, _config.HiddenSize).CopyTo(new Span<float>(to, _config.HiddenSize));
        else
            norm.Apply(from, to, (float)_config.NormEpsilon);
    }

    // Turns a token's queries and keys by its position and stores key and value.
    private void Place(CpuWeights.Layer layer, int t)
    {
        int size = _config.HeadSize, keys = _config.KeyValueHeads * size, queries = _config.QueryHeads * size;
        var (q, k) = ((nint)(_buffers.Query + (long)t * queries), (nint)(_buffers.Key + (long)t * keys));
        var angles = !layer.IsRotary ? null : layer.IsSliding ? _buffers.LocalAngles : _buffers.Angles;
        Turn((float*)q, _config.QueryHeads, layer.QueryNorm, angles, _tokens[t].Position);
        Turn((float*)k, _config.KeyValueHeads, layer.KeyNorm, angles, _tokens[t].Position);
        _cache.Store(_layer, _tokens[t].Row.Slot, _tokens[t].Position, (float*)k, _buffers.Value + (long)t * keys);
    }

    private void Turn(float* heads, int count, CpuWeights.Norm? norm, CpuBuffers.RotaryTable? angles, int position)
    {
        var size = _config.HeadSize;
        for (var normed = heads; norm is not null && normed < heads + count * size; normed += norm.Size)
            norm.Apply(normed, normed, (float)_config.NormEpsilon);
        for (var head = heads; angles is not null && head < heads + count * size; head += size)
            angles.Rotate(head, position);
    }

    // A run's query heads that share a key head. Its own keys are in the cache already.
    private void Attend((int First, int Count) run, int keyHead, bool sliding, float* scores)
    {
        int size = _config.HeadSize, group = _config.QueryHeads / _config.KeyValueHeads, width = _config.QueryHeads * size;
        var (keys, values) = _cache.Sequence(_layer, _tokens[run.First].Row.Slot, keyHead);
        var attention = new AttentionRun
        {
            Keys = (float*)keys,
            Values = (float*)values,
            Scores = scores,
            Size = size,
            Step = width,
            Count = run.Count,
            Tokens = _tokens[run.First].Position + 1,
            Window = sliding ? _config.SlidingWindow!.Value : int.MaxValue,
            Scale = (float)(_config.AttentionScale / (_config.ScalesAttentionByLayer ? _layer + 1 : 1)),
            Cap = (float)(_config.AttentionSoftCap ?? 0),
        };
        for (var h = keyHead * group; h < (keyHead + 1) * group; h++)
        {
            var at = (long)run.First * width + h * size;
            attention.Attend(_buffers.Query + at, _buffers.Attended + at);
        }
    }

    // A few rows at a time: the logits of a whole prompt would fit no cache, nor need they.
    private void GiveLogits(ILogitsSink sink)
    {
        int hidden = _config.HiddenSize, vocabulary = _config.VocabularySize;
        for (var t = 0; t < _count;)
        {
            _logitRows = 0;
            for (; t < _count && _logitRows < CpuBuffers.LogitRows; t++)
            {
                var row = _tokens[t].Row;
                if (!row.AllLogits && (!row.LastLogits || _tokens[t].Index != row.Count - 1))
                    continue;
                _weights.LastNorm.Apply(_buffers.Residual + (long)t * hidden, _buffers.Normed + (long)_logitRows * hidden, (float)_config.NormEpsilon);
                _wanted[_logitRows++] = t;
            }
            if (_logitRows == 0)
                continue;
            for (var i = 0; _weights.Output.IsInt8 && i < _logitRows; i++)
                _buffers.Vectors(_buffers.Normed).Encode(i, hidden);
            Run(Work.Logits, vocabulary, hidden * _logitRows);
            for (var i = 0; i < _logitRows; i++)
                sink.Accept(_tokens[_wanted[i]].Row, _tokens[_wanted[i]].Index, new Span<float>(_buffers.Logits + (long)i * vocabulary, vocabulary));
        }
    }
}
