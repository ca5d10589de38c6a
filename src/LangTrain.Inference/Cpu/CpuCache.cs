using System.Runtime.InteropServices;
using LangTrain.Modeling;

namespace LangTrain.Inference.Cpu;

/// <summary>Keys and values, [L, slots, tokens, K·D] each: a sequence's tokens lie one after the other. Pages that were never written take no memory.</summary>
internal sealed unsafe class CpuCache : IDisposable
{
    private readonly int _slots;
    private readonly int _tokens;
    private readonly int _width;
    private readonly int _layers;
    private float* _keys;
    private float* _values;

    public CpuCache(ModelConfig config, int slots, int tokens)
    {
        (_layers, _slots, _tokens, _width) = (config.LayerCount, slots, tokens, config.KeyValueHeads * config.HeadSize);
        var floats = (nuint)((long)_layers * slots * tokens * _width);
        _keys = (float*)NativeMemory.AlignedAlloc(floats * sizeof(float), 64);
        _values = (float*)NativeMemory.AlignedAlloc(floats * sizeof(float), 64);
        ByteCount = 2L * (long)floats * sizeof(float);
    }

    /// <summary>Bytes set aside.</summary>
    public long ByteCount { get; }

    /// <summary>Where a sequence's keys and values begin.</summary>
    public (nint Keys, nint Values) Sequence(int layer, int slot)
    {
        var at = ((long)layer * _slots + slot) * _tokens * _width;
        return ((nint)(_keys + at), (nint)(_values + at));
    }

    /// <summary>Stores one token's key and value.</summary>
    public void Store(int layer, int slot, int position, float* key, float* value)
    {
        var at = (((long)layer * _slots + slot) * _tokens + position) * _width;
        var bytes = (long)_width * sizeof(float);
        Buffer.MemoryCopy(key, _keys + at, bytes, bytes);
        Buffer.MemoryCopy(value, _values + at, bytes, bytes);
    }

    /// <summary>Copies a sequence's first tokens.</summary>
    public void Copy(int from, int to, int length)
    {
        var bytes = (long)length * _width * sizeof(float);
        for (var layer = 0; layer < _layers; layer++)
        {
            var (source, target) = (Sequence(layer, from), Sequence(layer, to));
            Buffer.MemoryCopy((void*)source.Keys, (void*)target.Keys, bytes, bytes);
            Buffer.MemoryCopy((void*)source.Values, (void*)target.Values, bytes, bytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_keys);
        NativeMemory.AlignedFree(_values);
        _keys = _values = null;
    }
}
