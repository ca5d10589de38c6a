using LangTrain.Modeling;

namespace LangTrain.Inference.Cpu;

/// <summary>Vectors that weights are multiplied with, one after the other, and where a weight of 8-bit integers takes them from.</summary>
/// <param name="values">[T, inputs].</param>
/// <param name="codes">[T, inputs rounded up to whole groups], 16-bit integers written by <see cref="Encode"/>; null where no weight needs them.</param>
/// <param name="scales">[T, groups], what an integer of each <see cref="Int8Weight.GroupSize"/> is worth.</param>
internal readonly unsafe struct CpuVectors(float* values, short* codes = null, float* scales = null)
{
    /// <summary>[T, inputs].</summary>
    public float* Values { get; } = values;

    /// <summary>[T, inputs rounded up to whole groups].</summary>
    public short* Codes { get; } = codes;

    /// <summary>[T, groups].</summary>
    public float* Scales { get; } = scales;

    /// <summary>Writes one vector's integers and their scales.</summary>
    public void Encode(int t, int inputs)
    {
        var groups = CpuInt8Product.Groups(inputs);
        CpuInt8Product.Encode(Values + (long)t * inputs, Codes + (long)t * groups * Int8Weight.GroupSize, Scales + (long)t * groups, inputs);
    }
}
