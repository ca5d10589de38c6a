using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>NF4 on the CPU in one pass over memory (AVX2), bit by bit what <see cref="Nf4"/> and <see cref="Nf4Weight"/> make of libtorch's operators, which need about ten.</summary>
internal static unsafe class Nf4Kernel
{
    private const int BlockSize = Nf4.BlockSize;

    /// <summary>Whether it can do the work for tensors of a device.</summary>
    public static bool Fits(Device device) => Avx2.IsSupported && device.type == TorchSharp.DeviceType.CPU;

    /// <summary>The largest absolute value of each block, and its codes.</summary>
    /// <param name="table">[blocks, 64], Float32, contiguous, on the CPU.</param>
    /// <returns>[blocks] Float32, NaN or infinity where a block holds one; [blocks · 32] bytes, of two codes each, the first in the upper half. Fresh, owned by the caller's scope.</returns>
    public static (Tensor Largest, Tensor Codes) Encode(Tensor table)
    {
        long blocks = table.shape[0];
        Tensor largest = empty(blocks), codes = empty(blocks * BlockSize / 2, ScalarType.Byte);
        float* values = (float*)TorchOperator.DataOf(table), maxima = (float*)TorchOperator.DataOf(largest);
        byte* bytes = (byte*)TorchOperator.DataOf(codes);
        TorchThreads.For(blocks, blocks * BlockSize * 16, (from, end) =>
        {
            for (long block = from; block < end; block++)
            {
                maxima[block] = EncodeBlock(values + block * BlockSize, bytes + block * BlockSize / 2);
            }
        });
        return (largest, codes);
    }

    /// <summary>The values that codes stand for.</summary>
    /// <param name="codes">[blocks · 32] bytes, on the CPU.</param>
    /// <param name="scales">[blocks], Float32, contiguous.</param>
    /// <returns>[blocks, 64], Float32; fresh, owned by the caller's scope.</returns>
    public static Tensor Decode(Tensor codes, Tensor scales)
    {
        long blocks = scales.numel();
        Tensor result = empty(blocks, BlockSize);
        byte* bytes = (byte*)TorchOperator.DataOf(codes);
        float* factors = (float*)TorchOperator.DataOf(scales), values = (float*)TorchOperator.DataOf(result);
        TorchThreads.For(blocks, blocks * BlockSize * 2, (from, end) =>
        {
            for (long block = from; block < end; block++)
            {
                DecodeBlock(bytes + block * BlockSize / 2, factors[block], values + block * BlockSize);
            }
        });
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float EncodeBlock(float* values, byte* codes)
    {
        Vector256<int> most = default;
        for (int i = 0; i < BlockSize; i += 8)
        {
            most = Vector256.Max(most, FloatBits.Magnitude(Vector256.Load(values + i)));
        }

        float largest = FloatBits.Largest(most);
        Vector256<float> factor = Vector256.Create(1 / Math.Max(largest, Nf4.SmallestScale));
        for (int i = 0; i < BlockSize; i += 32, codes += 16)
        {
            Vector256<short> first = Vector256.Narrow(Codes(values + i, factor), Codes(values + i + 8, factor)), second = Vector256.Narrow(Codes(values + i + 16, factor), Codes(values + i + 24, factor));
            Vector256<ushort> pairs = Vector256.Narrow(first, second).AsUInt16(); // the first of two codes in the lower byte
            pairs = (pairs << 4 | pairs >> 8) & Vector256.Create((ushort)0xFF);
            Vector128.Narrow(pairs.GetLower(), pairs.GetUpper()).Store(codes);
        }

        return largest;
    }

    /// <summary>How many middles between neighbours of the code book are below each value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Codes(float* values, Vector256<float> factor)
    {
        Vector256<float> normalized = Vector256.Load(values) * factor;
        Vector256<int> codes = default;
        foreach (float middle in Nf4.Middles)
        {
            codes -= Vector256.GreaterThan(normalized, Vector256.Create(middle)).AsInt32(); // all ones is -1
        }

        return codes;
    }

    /// <summary>The values of one block.</summary>
    /// <param name="codes">32 bytes.</param>
    /// <param name="scale">Of the block.</param>
    /// <param name="values">[64], written.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DecodeBlock(byte* codes, float scale, float* values)
    {
        Vector256<float> low = Vector256.Create(Nf4.Codes.AsSpan(0, 8)), high = Vector256.Create(Nf4.Codes.AsSpan(8, 8)), factor = Vector256.Create(scale);
        Vector256<uint> shifts = Vector256.Create(4u, 0, 12, 8, 20, 16, 28, 24);
        for (int i = 0; i < BlockSize; i += 8, codes += 4)
        {
            Vector256<int> indices = Avx2.ShiftRightLogicalVariable(Vector256.Create(*(int*)codes), shifts) & Vector256.Create(15);
            Vector256<float> value = Avx.BlendVariable(Avx2.PermuteVar8x32(low, indices), Avx2.PermuteVar8x32(high, indices), (indices << 28).AsSingle());
            (value * factor).Store(values + i);
        }
    }
}
