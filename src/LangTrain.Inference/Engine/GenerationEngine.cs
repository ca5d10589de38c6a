using LangTrain.Inference.Cpu;
using LangTrain.Inference.Engine;
using LangTrain.Modeling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LangTrain.Inference;

/// <summary>
/// Generates token ids for many requests at once over one base model: rows join and leave at every step, each with its own adapter, sampler
/// and end. Knows no text; <see cref="TextGenerator"/> sits above it.
/// </summary>
/// <remarks>
/// Thread-safe. One loop thread, which starts with the engine, owns the model and the cache; everything else hands rows over through the
/// admission queue and takes tokens from the rows' channels. Disposing ends all rows and then the model.
/// </remarks>
public sealed class GenerationEngine : IAsyncDisposable
{
    private readonly ITokenModel _model;
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly EngineMetrics _metrics;
    private readonly AdmissionQueue _queue;
    private readonly SlotTable _slots;
    private readonly RowSampling _sampling;
    private readonly List<GenerationRow> _rows = [];
    private readonly List<StepRow> _step = [];
    private readonly Dictionary<string, int> _held = []; // Slots by fairness key.
    private readonly AutoResetEvent _wake = new(false);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;
    private int _prefillTurn;
    private double _secondsPerRow = 1;

    /// <summary>An engine over a loaded model; its loop starts at once.</summary>
    /// <param name="model">The base model; the engine uses it from its loop thread and does not dispose it.</param>
    /// <param name="options">Sizes.</param>
    /// <param name="time">Clock of the metrics.</param>
    /// <param name="logger">Gets failed steps.</param>
    public GenerationEngine(DecoderModel model, EngineOptions options, TimeProvider? time = null, ILogger<GenerationEngine>? logger = null)
        : this(options.UseCpuKernels && CpuWeights.Supports(model) ? new CpuTokenModel(model, options) : new DecoderTokenModel(model, options), options, time, logger)
    {
    }

    internal GenerationEngine(ITokenModel model, EngineOptions options, TimeProvider? time = null, ILogger<GenerationEngine>? logger = null)
    {
        _model = model;
        _options = options;
        _time = time ?? TimeProvider.System;
        _logger = logger ?? NullLogger<GenerationEngine>.Instance;
        _metrics = new EngineMetrics(options.ModelName, _time);
        _queue = new AdmissionQueue(options.QueueCapacity);
        _slots = new SlotTable(model.SlotCount);
        _sampling = new RowSampling(model.VocabularySize, options.ModelName, _metrics, _logger);
        new Thread(Run) { IsBackground = true, Name = $"generation of {options.ModelName}" }.Start();
    }

    /// <summary>Tokens that a prompt and its answer may have together.</summary>
    public int ContextLength => _model.SlotTokens;

    /// <summary>Logits of a token.</summary>
    public int VocabularySize => _model.VocabularySize;

    /// <summary>Bytes that keys and values take in memory.</summary>
    public long CacheBytes => _model.CacheBytes;

    /// <summary>Sequences that are generated at the same time.</summary>
    public int MaxRows => _model.SlotCount;

    /// <summary>Requests that wait for a row.</summary>
    public int QueueLength => _queue.Count;

    /// <summary>Puts a request into the queue.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Drops the row within one step, whether it waits or runs.</param>
    /// <returns>Its tokens; dispose or read to the end.</returns>
    /// <exception cref="GenerationParameterException">A sampling value is out of range.</exception>
    /// <exception cref="ContextLengthExceededException">The prompt leaves no room for an answer.</exception>
    /// <exception cref="EngineQueueFullException">Too many requests wait.</exception>
    /// <exception cref="ObjectDisposedException">The engine was shut down.</exception>
    public GenerationStream Submit(GenerationRequest request, CancellationToken cancellationToken = default) =>
        Submit([request], cancellationToken)[0];

    /// <summary>Puts several requests into the queue, all or none.</summary>
    /// <inheritdoc cref="Submit(GenerationRequest, CancellationToken)"/>
    public IReadOnlyList<GenerationStream> Submit(IReadOnlyList<GenerationRequest> requests, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        var rows = new GenerationRow[requests.Count];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = RowOf(requests[i]);
        if (!_queue.TryEnqueue(rows))
        {
            _metrics.Rejected();
            throw new EngineQueueFullException(_queue.Count, RetryAfter());
        }
        _metrics.Queued(rows.Length);
        var streams = new GenerationStream[rows.Length];
        for (var i = 0; i < rows.Length; i++)
            streams[i] = new GenerationStream(rows[i], Cancel, cancellationToken);
        _wake.Set();
        if (_stopping) // Between the check above and the queue the loop may have ended; nobody else would end these rows.
            Array.ForEach(rows, Cancel);
        return streams;
    }

    /// <summary>Ends all rows, waits for the step in progress, and frees the cache.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        _wake.Set();
        await _stopped.Task;
    }

    private GenerationRow RowOf(GenerationRequest request)
    {
        request.Sampling.Validate(_model.VocabularySize);
        var prompt = request.PromptTokens;
        if (prompt.Count == 0)
            throw new GenerationParameterException("prompt", "The prompt has no tokens; this model needs at least one.");
        foreach (var id in prompt)
        {
            if (id < 0 || id >= _model.VocabularySize)
                throw new GenerationParameterException("prompt", $"The prompt has token {id}; the model's tokens are 0 to {_model.VocabularySize - 1}.");
        }
        if (request.MaxNewTokens < 0)
            throw new GenerationParameterException("max_tokens", $"max_tokens is {request.MaxNewTokens}; it must be 0 or more.");
        if (request.TopLogProbabilities is { } top && (top < 0 || top > 20))
            throw new GenerationParameterException("top_logprobs", $"top_logprobs is {top}; it must be from 0 to 20.");
        // A prompt that is only read may fill the context; one that is answered must leave room for a token.
        var room = ContextLength - prompt.Count;
        if (room < (request.MaxNewTokens == 0 ? 0 : 1))
            throw new ContextLengthExceededException(prompt.Count, ContextLength);
        return new GenerationRow(request, Math.Min(request.MaxNewTokens ?? room, room)) { SubmittedAt = _time.GetTimestamp() };
    }

    private void Cancel(GenerationRow row)
    {
        row.Cancel();
        if (_queue.Remove(row))
        {
            _metrics.Queued(-1);
            row.Fail(new OperationCanceledException("The request was cancelled while it waited."));
            row.Leave();
        }
    }

    private TimeSpan RetryAfter() =>
        TimeSpan.FromSeconds(Math.Clamp(Math.Ceiling(Volatile.Read(ref _secondsPerRow) * _queue.Count / _model.SlotCount), 1, 60));

    private void Run()
    {
        try
        {
            while (!_stopping)
            {
                // 1. Rows whose reader has gone leave.
                foreach (var row in _rows)
                {
                    if (row.IsCancelled && !row.IsEnded)
                        row.Fail(new OperationCanceledException("The request was cancelled."));
                }
                RemoveEnded();

                // 2. Waiting rows take the free slots; batch rows make room for interactive ones.
                Admit();

                // 3. One token for each row that generates, one chunk for a few that still read their prompt.
                Plan();
                if (_step.Count == 0)
                {
                    _wake.WaitOne();
                    continue;
                }

                // 4. The model; each row's logits come back to Accept, which samples.
                var began = _time.GetTimestamp();
                try
                {
                    _model.Forward(_step, _sampling);
                }
                catch (Exception e)
                {
                    // What the step left in the cache is unknown: its rows fail, the others and the engine go on.
                    Logs.StepFailed(_logger, e, _options.ModelName, _step.Count);
                    FailStep(e);
                }

                // 5. Finished rows give their slots back before the next step.
                RemoveEnded();
                _metrics.Stepped(began, _step.Count, _slots.TokensInUse / ((double)_model.SlotCount * _model.SlotTokens));
            }
        }
        catch (Exception e)
        {
            Logs.EngineFailed(_logger, e, _options.ModelName);
        }
        finally
        {
            EndAll();
            _model.Dispose();
            _metrics.Dispose();
            _stopped.SetResult();
        }
    }

    private void Admit()
    {
        while (_slots.Free > 0 && _queue.TryDequeue(out var row))
            Admit(row);
        while (_slots.Free == 0 && _queue.HasInteractive && _rows.FindLast(r => r.Request.Priority == RequestPriority.Batch) is { } yielding)
        {
            if (!_queue.TryDequeueInteractive(_ => true, out var waiting))
                break;
            GiveWay(yielding, waiting);
        }
        ShareSlots();
    }

    // A key whose rows wait while another holds at least two slots more takes one of those: an account that came first with a hundred long answers
    // does not keep the next one out. The one that gives way is the youngest, and it is the first of its key again; since the difference shrinks
    // with each exchange, no two keys take slots from each other in turns.
    private void ShareSlots()
    {
        while (_slots.Free == 0 && _queue.HasInteractive)
        {
            _held.Clear();
            foreach (var row in _rows)
                _held[row.FairnessKey] = _held.GetValueOrDefault(row.FairnessKey) + 1;
            var (most, count) = _held.MaxBy(h => h.Value);
            if (count < 2 || !_queue.TryDequeueInteractive(key => _held.GetValueOrDefault(key) + 2 <= count, out var waiting))
                return;
            GiveWay(_rows.FindLast(r => r.FairnessKey == most)!, waiting);
        }
    }

    private void GiveWay(GenerationRow yielding, GenerationRow waiting)
    {
        _rows.Remove(yielding);
        _slots.Release(yielding);
        _queue.PutBack(yielding);
        _metrics.Queued(1);
        Admit(waiting);
    }

    private void Admit(GenerationRow row)
    {
        _metrics.Queued(-1);
        if (row.IsCancelled)
        {
            row.Fail(new OperationCanceledException("The request was cancelled."));
            row.Leave();
            return;
        }
        _metrics.Admitted(row);
        _slots.Take(row, Reuses(row));
        if (row.Generated == 0) // One that was set aside comes back with more in the cache than its prompt.
            row.Reused = row.Cached;
        _model.Truncate(row.Slot, row.Cached);
        _rows.Add(row);
    }

    private bool Reuses(GenerationRow row) => _options.ReusePrefixes && !row.Request.PromptLogProbabilities;

    private void Plan()
    {
        _step.Clear();
        var (reading, interactiveReads) = (0, false);
        foreach (var row in _rows)
        {
            if (row.Pending == 1)
                Feed(row, 1);
            else
                (reading, interactiveReads) = (reading + 1, interactiveReads || row.Request.Priority == RequestPriority.Interactive);
        }
        if (reading == 0)
            return;
        var budget = _step.Count > 0 ? _options.PrefillChunkTokens : _options.IdlePrefillChunkTokens;
        var first = _prefillTurn++ % _rows.Count; // Prompts take turns, so that a long one does not stand before a short one.
        for (var i = 0; i < _rows.Count && budget > 0; i++)
        {
            var row = _rows[(first + i) % _rows.Count];
            if (row.Pending == 1 || (interactiveReads && row.Request.Priority == RequestPriority.Batch))
                continue;
            if (!row.Started && !StartReading(row))
                continue;
            var count = Math.Min(row.Pending, budget);
            budget -= count;
            Feed(row, count);
        }
    }

    // Before its first chunk a row looks who has its beginning. Another that is just reading the same one is waited for: rows wait only for
    // rows admitted before them, and the first of those always reads.
    private bool StartReading(GenerationRow row)
    {
        if (Reuses(row))
        {
            var (slot, shared) = _slots.LongestShared(row);
            foreach (var ahead in _rows)
            {
                if (ahead == row)
                    break;
                var common = ahead.Pending > 1 ? SlotTable.CommonBeginning(row, ahead) : 0;
                if (common >= SlotTable.MinSharedTokens && common > Math.Max(shared, row.Cached) && Reads(ahead))
                    return false;
            }
            if (shared >= row.Cached + SlotTable.MinSharedTokens)
            {
                _model.CopyPrefix(slot, row.Slot, shared);
                row.Cached = shared;
            }
            row.Reused = row.Cached;
            _metrics.PrefixReused(row.Cached);
        }
        row.Started = true;
        return true;
    }

    // A batch row does not read while interactive ones do; nobody interactive may wait for it.
    private bool Reads(GenerationRow ahead) =>
        ahead.Request.Priority == RequestPriority.Interactive || !_rows.Exists(r => r.Pending > 1 && r.Request.Priority == RequestPriority.Interactive);

    private void Feed(GenerationRow row, int count)
    {
        var step = row.Step;
        step.Slot = row.Slot;
        step.Position = row.Cached;
        step.Count = count;
        step.LastLogits = count == row.Pending;
        step.AllLogits = row.Request.PromptLogProbabilities && row.Cached < row.PromptLength - 1;
        _step.Add(step);
    }

    private void FailStep(Exception error)
    {
        foreach (var part in _step)
        {
            if (!part.Owner.IsEnded)
                part.Owner.Fail(error);
            SlotTable.Spoil(part.Owner);
            part.Count = 0;
        }
    }

    private void RemoveEnded()
    {
        // The step's tokens are in the cache now.
        foreach (var part in _step)
        {
            part.Owner.Cached += part.Count;
            part.Count = 0;
        }
        for (var i = _rows.Count - 1; i >= 0; i--)
        {
            var row = _rows[i];
            if (!row.IsEnded)
                continue;
            _rows.RemoveAt(i);
            _slots.Release(row);
            row.Leave();
            var seconds = _time.GetElapsedTime(row.AdmittedAt).TotalSeconds;
            Volatile.Write(ref _secondsPerRow, 0.9 * _secondsPerRow + 0.1 * seconds);
        }
    }

    private void EndAll()
    {
        _stopping = true;
        var error = new OperationCanceledException("The engine was shut down.");
        foreach (var row in _rows)
        {
            row.Fail(error);
            row.Leave();
        }
        while (_queue.TryDequeue(out var row))
        {
            _metrics.Queued(-1);
            row.Fail(error);
            row.Leave();
        }
    }
}
