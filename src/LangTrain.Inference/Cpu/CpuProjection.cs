using System.Runtime.InteropServices;

namespace LangTrain.Inference.Cpu;

/// <summary>
/// Linear layers that share an input, as one piece of work over all their rows: y = gain · (W·x + s·B·A·x) + bias, the low-rank term and the gain by
/// each token's adapter, so that rows of different adapters, ranks and targets share a pass.
/// </summary>
internal sealed unsafe class CpuProjection(PassToken[] tokens) : IDisposable
{
    /// <summary>Linear layers that share an input.</summary>
    public const int MaxTargets = 3;

    private readonly (CpuWeights.Linear Linear, nint Output)[] _targets = new (CpuWeights.Linear, nint)[MaxTargets];
    private readonly CpuAdapter.Part?[] _parts = new CpuAdapter.Part?[MaxTargets * tokens.Length];
    private CpuVectors _input;
    private float* _low; // [targets, T, R]
    private long _lowFloats;
    private int _targetCount;
    private int _tokenCount;
    private int _maxRank;
    private bool _adapted;

    /// <summary>Width of the input.</summary>
    public int Inputs { get; private set; }

    /// <summary>Rows of all targets' weights.</summary>
    public int Rows { get; private set; }

    /// <summary>True when some token's adapter changes some target.</summary>
    public bool HasAdapters { get; private set; }

    /// <summary>True when some target's weight takes the input as integers: then all vectors are to be encoded first.</summary>
    public bool NeedsCodes { get; private set; }

    /// <summary>Units of <see cref="MultiplyLowRank"/>.</summary>
    public int LowRankUnits => _targetCount * _tokenCount;

    /// <summary>Multiplications of one of them.</summary>
    public int LowRankCost => _maxRank * Inputs;

    /// <summary>Begins a pass.</summary>
    /// <param name="count">Its tokens.</param>
    /// <param name="adapted">True when any has an adapter.</param>
    public void Begin(int count, bool adapted)
    {
        (_tokenCount, _adapted, _maxRank) = (count, adapted, 0);
        for (var t = 0; adapted && t < count; t++)
            _maxRank = Math.Max(_maxRank, tokens[t].Adapter?.MaxRank ?? 0);
        var floats = (long)MaxTargets * count * _maxRank;
        if (floats <= _lowFloats)
            return;
        NativeMemory.AlignedFree(_low);
        _low = (float*)NativeMemory.AlignedAlloc((nuint)(floats * sizeof(float)), 64);
        _lowFloats = floats;
    }

    /// <summary>Sets up the next layers.</summary>
    /// <param name="input">[T, inputs].</param>
    /// <param name="inputs">Its width.</param>
    /// <param name="targets">The layers, each with where its result goes, [T, outputs].</param>
    public void Start(in CpuVectors input, int inputs, params ReadOnlySpan<(CpuWeights.Linear Linear, nint Output)> targets)
    {
        _input = input;
        (Inputs, _targetCount, Rows, HasAdapters, NeedsCodes) = (inputs, targets.Length, 0, false, false);
        for (var i = 0; i < targets.Length; i++)
        {
            _targets[i] = targets[i];
            Rows += targets[i].Linear.Outputs;
            NeedsCodes |= targets[i].Linear.Weight.IsInt8;
            for (var t = 0; _adapted && t < _tokenCount; t++)
            {
                var part = tokens[t].Adapter?.Find(targets[i].Linear);
                _parts[i * tokens.Length + t] = part;
                HasAdapters |= part is not null;
            }
        }
    }

    /// <summary>Writes some tokens' integers.</summary>
    public void Encode(int from, int to)
    {
        for (var t = from; t < to; t++)
            _input.Encode(t, Inputs);
    }

    /// <summary>A·x for some (target, token) pairs.</summary>
    public void MultiplyLowRank(int from, int to)
    {
        for (var unit = from; unit < to;)
        {
            int target = unit / _tokenCount, t = unit % _tokenCount, count = 1;
            var part = _parts[target * tokens.Length + t];
            while (unit + count < to && t + count < _tokenCount && _parts[target * tokens.Length + t + count] == part)
                count++; // Neighbours with the same adapter: a prompt's tokens.
            part?.A.Multiply(new CpuVectors(_input.Values + (long)t * Inputs), Low(target, t), count, _maxRank, 0, part.Rank);
            unit += count;
        }
    }

    /// <summary>Some rows of all targets, counted through.</summary>
    public void Multiply(int from, int to)
    {
        var start = 0;
        for (var target = 0; target < _targetCount; target++)
        {
            var linear = _targets[target].Linear;
            int first = Math.Max(from - start, 0), end = Math.Min(to - start, linear.Outputs);
            start += linear.Outputs;
            if (first >= end)
                continue;
            var output = (float*)_targets[target].Output;
            linear.Weight.Multiply(_input, output, _tokenCount, linear.Outputs, first, end);
            for (var t = 0; (HasAdapters || linear.Bias != null) && t < _tokenCount; t++)
                Finish(target, linear, output, t, first, end);
        }
    }

    /// <summary>All rows of all targets for the whole pass by libtorch; <see cref="Widen"/> is to follow.</summary>
    public void Multiply(BFloat16Product product)
    {
        for (var target = 0; target < _targetCount; target++)
        {
            var linear = _targets[target].Linear;
            product.Multiply(target, linear.Whole!, linear.FirstOutput, linear.Outputs);
        }
    }

    /// <summary>Rounds some tokens' inputs for <see cref="Multiply(BFloat16Product)"/>.</summary>
    public void Narrow(BFloat16Product product, int from, int to)
    {
        for (var t = from; t < to; t++)
            product.Narrow(_input.Values, t, Inputs);
    }

    /// <summary>Takes over some tokens' products, and adds what their adapters add.</summary>
    public void Widen(BFloat16Product product, int from, int to)
    {
        for (var target = 0; target < _targetCount; target++)
        {
            var linear = _targets[target].Linear;
            var output = (float*)_targets[target].Output;
            for (var t = from; t < to; t++)
            {
                product.Widen(target, t, output + (long)t * linear.Outputs, linear.Outputs);
                Finish(target, linear, output, t, 0, linear.Outputs);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_low);
        _low = null;
    }

    // What comes to a token's products: its adapter's term and gain, the bias.
    private void Finish(int target, CpuWeights.Linear linear, float* output, int t, int first, int end)
    {
        var y = output + (long)t * linear.Outputs;
        if (HasAdapters && _parts[target * tokens.Length + t] is { } part)
            part.Add(y + first, Low(target, t), linear.FirstOutput + first, end - first);
        if (linear.Bias != null)
            CpuKernels.AddScaled(y + first, linear.Bias + first, 1f, end - first);
    }

    private float* Low(int target, int t) => _low + ((long)target * _tokenCount + t) * _maxRank;
}
