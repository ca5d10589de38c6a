using System.Runtime.Intrinsics.X86;

namespace LangTrain.Modeling;

/// <summary>What this processor can do that .NET has no name for.</summary>
public static class ProcessorFeatures
{
    /// <summary>True with instructions for products of bfloat16, with which libtorch is about twice as fast as in float32; without them it emulates.</summary>
    /// <remarks>CPUID leaf 7: AMX-BF16 is bit 22 of EDX, AVX512-BF16 bit 5 of EAX of subleaf 1.</remarks>
    public static bool HasBFloat16Products { get; } = X86Base.IsSupported
        && ((X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0 || (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0);

    /// <summary>True where <see cref="ForwardPass.Int16Products"/> are faster than Float32: with AVX2 and without AVX-512, which multiplies Float32 as fast.</summary>
    public static bool HasFasterInt16Products { get; } = Avx2.IsSupported && !Avx512F.IsSupported;
}
