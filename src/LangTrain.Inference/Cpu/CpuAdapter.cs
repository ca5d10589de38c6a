using System.Runtime.CompilerServices;
using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Inference.Cpu;

/// <summary>An adapter's matrices as the kernels read them, by module. Made once for an adapter; valid as long as it is.</summary>
internal sealed unsafe class CpuAdapter
{
    private static readonly ConditionalWeakTable<LoraAdapter, CpuAdapter> Known = [];

    private readonly Part?[] _parts;

    private CpuAdapter(LoraAdapter adapter, DecoderModel model, CpuWeights weights)
    {
        _parts = new Part?[weights.LinearNames.Count];
        for (var i = 0; i < _parts.Length; i++)
        {
            if (adapter.Find(weights.LinearNames[i]) is not { } lora)
                continue;
            float[]? gain = null;
            if (lora.Magnitude is { } magnitude)
            {
                using var scope = NewDisposeScope();
                using var frozen = no_grad();
                gain = (magnitude / lora.Norm(model.Linears[weights.LinearNames[i]])).data<float>().ToArray();
            }
            var rank = (int)lora.A.shape[0];
            MaxRank = Math.Max(MaxRank, rank);
            _parts[i] = new Part(CpuWeights.Pointer(lora.A), CpuWeights.Pointer(lora.B), gain, rank, (float)lora.Scaling);
        }
    }

    /// <summary>Largest rank of any module.</summary>
    public int MaxRank { get; }

    /// <summary>The matrices of an adapter over this model.</summary>
    public static CpuAdapter Of(LoraAdapter adapter, DecoderModel model, CpuWeights weights) =>
        Known.TryGetValue(adapter, out var known) ? known : Known.GetValue(adapter, a => new CpuAdapter(a, model, weights));

    /// <summary>What the adapter does to a module; null where nothing.</summary>
    public Part? Find(CpuWeights.Linear linear) => _parts[linear.Index];

    /// <summary>The low-rank update of one module.</summary>
    /// <param name="a">[Rank, in].</param>
    /// <param name="b">[out, Rank].</param>
    /// <param name="gain">[out], DoRA's m / ‖W + s·B·A‖; null for LoRA.</param>
    /// <param name="rank">R.</param>
    /// <param name="scaling">s.</param>
    internal sealed class Part(float* a, float* b, float[]? gain, int rank, float scaling)
    {
        public float* A { get; } = a;

        public float* B { get; } = b;

        public float[]? Gain { get; } = gain;

        public int Rank { get; } = rank;

        public float Scaling { get; } = scaling;
    }
}
