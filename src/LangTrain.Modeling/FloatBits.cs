using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LangTrain.Modeling;

/// <summary>Absolute values as the integers that their bits are: these have the same order, with infinity and NaN last, so that neither gets lost in a maximum.</summary>
internal static class FloatBits
{
    /// <summary>Of eight values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Magnitude(Vector256<float> values) => values.AsInt32() & Vector256.Create(int.MaxValue);

    /// <summary>The value that the largest of eight magnitudes is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector256<int> magnitudes)
    {
        Vector128<int> half = Vector128.Max(magnitudes.GetLower(), magnitudes.GetUpper());
        half = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(2, 3, 0, 1)));
        return BitConverter.Int32BitsToSingle(Math.Max(half[0], half[1]));
    }
}
