using System.Runtime.Intrinsics.X86;
using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Training.Recipes;

/// <summary>Where a run computes and in what: worked out once, from the options and the machine.</summary>
/// <param name="Device">The GPU where libtorch has one, else the CPU.</param>
/// <param name="Dtype">Of products, and of a frozen base.</param>
internal sealed record ComputeTarget(Device Device, ScalarType Dtype)
{
    private const int SmallestWidth = 256;

    /// <param name="options">The run's options.</param>
    /// <param name="model">Its base model, whose size matters to <see cref="ComputeDtype.Auto"/>.</param>
    public static ComputeTarget Of(TrainingOptions options, ModelConfig model)
    {
        TorchSetup.Initialize();
        var hasGpu = cuda.is_available();
        var isNarrow = options.ComputeDtype == ComputeDtype.BFloat16 || (options.ComputeDtype == ComputeDtype.Auto
            && (hasGpu || (HasNarrowInstructions() && model.HiddenSize >= SmallestWidth)));
        return new ComputeTarget(hasGpu ? CUDA : CPU, isNarrow ? ScalarType.BFloat16 : ScalarType.Float32);
    }

    /// <summary>CPUID leaf 7: AMX-BF16 is bit 22 of EDX, AVX512-BF16 bit 5 of EAX of subleaf 1.</summary>
    private static bool HasNarrowInstructions() => X86Base.IsSupported
        && ((X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0 || (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0);
}
