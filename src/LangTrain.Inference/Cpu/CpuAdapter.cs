using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
            using var scope = NewDisposeScope();
            using var frozen = no_grad();
            var gain = lora.Magnitude is { } magnitude ? Pinned(magnitude / lora.Norm(model.Linears[weights.LinearNames[i]])) : null;
            _parts[i] = new Part(CpuMatrix.Of(lora.A), Pinned(lora.B.mul(Scalars.Of(lora.Scaling)).t()), gain, (int)lora.B.shape[0]);
            MaxRank = Math.Max(MaxRank, _parts[i]!.Rank);
        }
    }

    /// <summary>Largest rank of any module.</summary>
    public int MaxRank { get; }

    /// <summary>The matrices of an adapter over this model.</summary>
    public static CpuAdapter Of(LoraAdapter adapter, DecoderModel model, CpuWeights weights) =>
        Known.TryGetValue(adapter, out var known) ? known : Known.GetValue(adapter, a => new CpuAdapter(a, model, weights));

    /// <summary>What the adapter does to a module; null where nothing.</summary>
    public Part? Find(CpuWeights.Linear linear) => _parts[linear.Module];

    private static float[] Pinned(Tensor values)
    {
        var copy = GC.AllocateUninitializedArray<float>((int)values.numel(), pinned: true);
        values.to(ScalarType.Float32).contiguous().data<float>().CopyTo(copy);
        return copy;
    }

    /// <summary>The low-rank update of one module.</summary>
    /// <param name="a">[R, in].</param>
    /// <param name="b">[R, out], s·Bᵀ: so that the update of neighbouring outputs is made of neighbouring numbers.</param>
    /// <param name="gain">[out], DoRA's m / ‖W + s·B·A‖; null for LoRA.</param>
    /// <param name="outputs">out.</param>
    internal sealed class Part(CpuMatrix a, float[] b, float[]? gain, int outputs)
    {
        public CpuMatrix A { get; } = a;

        public int Rank => A.Rows;

        /// <summary>y = gain · (y + s·B·low) for some outputs of the module from <paramref name="first"/> on.</summary>
        public void Add(float* y, float* low, int first, int count)
        {
            CpuKernels.AddRows(y, Address(b) + first, outputs, low, Rank, count);
            if (gain is not null)
                CpuKernels.Multiply(y, Address(gain) + first, count);
        }

        private static float* Address(float[] pinned) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
    }
}
