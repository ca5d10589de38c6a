using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LangTrain.Inference.Cpu;

/// <summary>A row of a weight as float32, whatever it is stored as: the products are written once and compiled for each kind.</summary>
/// <typeparam name="TSelf">The kind.</typeparam>
internal interface IWeightRow<TSelf>
    where TSelf : struct, IWeightRow<TSelf>
{
    /// <summary>A matrix's row.</summary>
    static abstract TSelf Of(in CpuMatrix matrix, int row);

    /// <summary>Eight weights from column <paramref name="k"/>, a multiple of 8, on.</summary>
    Vector256<float> Load(int k);

    /// <summary>One weight.</summary>
    float At(int k);
}

/// <summary>As it is.</summary>
internal readonly unsafe struct Float32Row(float* row) : IWeightRow<Float32Row>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32Row Of(in CpuMatrix matrix, int row) => new((float*)matrix.Data + (long)row * matrix.Inputs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Load(int k) => Vector256.Load(row + k);

    public float At(int k) => row[k];
}

/// <summary>bfloat16: the upper half of a float32.</summary>
internal readonly unsafe struct BFloat16Row(ushort* row) : IWeightRow<BFloat16Row>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static BFloat16Row Of(in CpuMatrix matrix, int row) => new((ushort*)matrix.Data + (long)row * matrix.Inputs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Load(int k)
    {
        var (lower, upper) = Vector128.Widen(Vector128.Load(row + k));
        return (Vector256.Create(lower, upper) << 16).AsSingle();
    }

    public float At(int k) => BitConverter.UInt32BitsToSingle((uint)row[k] << 16);
}
