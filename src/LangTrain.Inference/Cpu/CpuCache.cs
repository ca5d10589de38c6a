using System.Runtime.InteropServices;
using LangTrain.Modeling;

namespace LangTrain.Inference.Cpu;

/// <summary>Keys and values, [L, slots, K, tokens, D] each: a head's tokens lie one after the other. Pages that were never written take no memory.</summary>
internal sealed unsafe class CpuCache : IDisposable
{
    private readonly int _slots;
    private readonly int _tokens;
    private readonly int _heads;
    private readonly int _size;
    private readonly int _layers;
    private float* _keys;
    private float* _values;

    public CpuCache(ModelConfig config, int slots, int tokens)
    {
        (_layers, _slots, _tokens, _heads, _size) = (config.LayerCount, slots, tokens, config.KeyValueHeads, config.HeadSize);
        var floats = (nuint)((long)_layers * slots * tokens * _heads * _size);
        _keys = (float*)NativeMemory.AlignedAlloc(floats * sizeof(float), 64);
        _values = (float*)NativeMemory.AlignedAlloc(floats * sizeof(float), 64);
        ByteCount = 2L * (long)floats * sizeof(float);
    }

    /// <summary>Bytes set aside.</summary>
    public long ByteCount { get; }

    /// <summary>Where the keys and values of a sequence's head begin, [tokens, D].</summary>
    public (nint Keys, nint Values) Sequence(int layer, int slot, int head)
    {
        var at = At(layer, slot, head);
        return ((nint)(_keys + at), (nint)(_values + at));
    }

    /// <summary>Stores one token's keys and values, [K, D].</summary>
    public void Store(int layer, int slot, int position, float* key, float* value)
    {
        var bytes = (long)_size * sizeof(float);
        for (var head = 0; head < _heads; head++)
        {
            var at = At(layer, slot, head) + (long)position * _size;
            Buffer.MemoryCopy(key + head * _size, _keys + at, bytes, bytes);
            Buffer.MemoryCopy(value + head * _size, _values + at, bytes, bytes);
        }
    }

    /// <summary>Copies a sequence's first tokens.</summary>
    public void Copy(int from, int to, int length)
    {
        var bytes = (long)length * _size * sizeof(float);
        for (var part = 0; part < _layers * _heads; part++)
        {
            var (source, target) = (At(part / _heads, from, part % _heads), At(part / _heads, to, part % _heads));
            Buffer.MemoryCopy(_keys + source, _keys + target, bytes, bytes);
            Buffer.MemoryCopy(_values + source, _values + target, bytes, bytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_keys);
        NativeMemory.AlignedFree(_values);
        _keys = _values = null;
    }

    private long At(int layer, int slot, int head) => (((long)layer * _slots + slot) * _heads + head) * _tokens * _size;
}
