using System.Runtime.InteropServices;
using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Inference.Engine;

/// <summary>
/// The engine's steps on a <see cref="DecoderModel"/>: rows that generate run together as one batch of single tokens, each prompt chunk as a pass
/// of its own. Owns the key-value cache, not the model.
/// </summary>
internal sealed class DecoderTokenModel : ITokenModel
{
    /// <summary>A budget that holds no more than this of the context for four rows gives fewer rows before it gives shorter sequences.</summary>
    private const int MinSequenceTokens = 512;

    private readonly DecoderModel _model;
    private readonly KeyValueCache _cache;
    private readonly List<StepRow> _decoding = [];
    private readonly StepRow?[] _bySlot;

    public DecoderTokenModel(DecoderModel model, EngineOptions options)
    {
        _model = model;
        (SlotCount, SlotTokens) = Fit(model.Config, options, model.Dtype switch { ScalarType.Float64 => 8, ScalarType.Float32 => 4, _ => 2 });
        _cache = new KeyValueCache(model, SlotCount, SlotTokens);
        _bySlot = new StepRow?[SlotCount];
    }

    /// <inheritdoc/>
    public int VocabularySize => _model.Config.VocabularySize;

    /// <inheritdoc/>
    public int SlotCount { get; }

    /// <inheritdoc/>
    public int SlotTokens { get; }

    /// <inheritdoc/>
    public long CacheBytes => _cache.ByteCount;

    /// <inheritdoc/>
    public void Truncate(int slot, int length) => _cache.Truncate(slot, length);

    /// <inheritdoc/>
    public void CopyPrefix(int from, int to, int length) => _cache.Copy(from, to, length);

    /// <inheritdoc/>
    public void Forward(IReadOnlyList<StepRow> rows, ILogitsSink sink)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        _decoding.Clear();
        foreach (var row in rows)
        {
            if (row.Count == 1)
                _decoding.Add(row);
        }
        if (_decoding.Count > 0)
            Decode(sink);
        foreach (var row in rows)
        {
            if (row.Count > 1)
                Prefill(row, sink);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _cache.Dispose();

    // At least four rows before the whole context, unless rows would be too short for anything; bytes = 2 · L · rows · capacity · K · D · element size.
    internal static (int Rows, int Tokens) Fit(ModelConfig config, EngineOptions options, int elementSize)
    {
        var bytesPerToken = 2L * config.LayerCount * config.KeyValueHeads * config.HeadSize * elementSize;
        var tokens = options.CacheBytes / bytesPerToken;
        var wanted = Math.Min(options.MaxSequenceTokens ?? config.ContextLength, config.ContextLength);
        var capacity = (int)Math.Min(wanted, Math.Max(tokens / Math.Min(4, options.MaxRows), Math.Min(tokens, MinSequenceTokens)));
        if (capacity < 2)
            throw new ArgumentException($"A cache of {options.CacheBytes} bytes holds no sequence of this model; a token takes {bytesPerToken}.", nameof(options));
        return ((int)Math.Clamp(tokens / capacity, 1, options.MaxRows), capacity);
    }

    // Neighbours in the cache are read in place, others would be copied: holes between the batch's slots ride along with no token of their own,
    // unless there are more holes than rows.
    private void Decode(ILogitsSink sink)
    {
        foreach (var row in _decoding)
            _bySlot[row.Slot] = row;
        var first = 0;
        while (first < SlotCount)
        {
            while (first < SlotCount && _bySlot[first] is null)
                first++;
            if (first == SlotCount)
                break;
            var (last, count, holes) = (first, 1, 0);
            for (var slot = first + 1; slot < SlotCount && holes <= count; slot++)
            {
                if (_bySlot[slot] is null)
                    holes++;
                else
                    (last, count, holes) = (slot, count + 1, 0);
            }
            Decode(first, last - first + 1, count, sink);
            first = last + 1;
        }
        Array.Clear(_bySlot);
    }

    private void Decode(int first, int width, int count, ILogitsSink sink)
    {
        var ids = new long[width];
        var slots = new int[width];
        var counts = count == width ? null : new int[width];
        for (var b = 0; b < width; b++)
        {
            slots[b] = first + b;
            if (_bySlot[first + b] is not { } row)
                continue;
            ids[b] = row.Tokens[0];
            if (counts is not null)
                counts[b] = 1;
        }
        using var scope = NewDisposeScope();
        var hidden = _model.Hidden(
            tensor(ids, device: _model.Device).view(width, 1),
            new ForwardPass { Cache = _cache, CacheRows = slots, TokenCounts = counts, Adapters = AdaptersOf(first, width) }); // [B, 1, C]
        var logits = OnHost(_model.Logits(hidden.squeeze(1))); // [B, V]
        var values = Values(logits);
        for (var b = 0; b < width; b++)
        {
            if (_bySlot[first + b] is { } row && (row.LastLogits || row.AllLogits))
                sink.Accept(row, 0, values.Slice(b * VocabularySize, VocabularySize));
        }
    }

    private void Prefill(StepRow row, ILogitsSink sink)
    {
        var ids = new long[row.Count];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = row.Tokens[i];
        using var scope = NewDisposeScope();
        var hidden = _model.Hidden(
            tensor(ids, device: _model.Device).view(1, ids.Length),
            new ForwardPass { Cache = _cache, CacheRows = [row.Slot], Adapters = row.Adapter is { } adapter ? AdapterSelection.All(adapter) : AdapterSelection.None }); // [1, T, C]
        if (!row.AllLogits && !row.LastLogits)
            return;
        var wanted = row.AllLogits ? ids.Length : 1;
        var logits = OnHost(_model.Logits(hidden[0].narrow(0, ids.Length - wanted, wanted))); // [T or 1, V]
        var values = Values(logits);
        for (var i = 0; i < wanted; i++)
            sink.Accept(row, ids.Length - wanted + i, values.Slice(i * VocabularySize, VocabularySize));
    }

    private AdapterSelection AdaptersOf(int first, int width)
    {
        var adapters = new LoraAdapter?[width];
        var any = false;
        for (var b = 0; b < width; b++)
        {
            adapters[b] = _bySlot[first + b]?.Adapter;
            any |= adapters[b] is not null;
        }
        return any ? AdapterSelection.PerRow(adapters) : AdapterSelection.None;
    }

    private static Tensor OnHost(Tensor logits) => logits.to(ScalarType.Float32).cpu().contiguous();

    private static Span<float> Values(Tensor logits) => MemoryMarshal.Cast<byte, float>(logits.bytes);
}
