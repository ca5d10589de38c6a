namespace LangTrain.Training;

/// <summary>What the products of training are computed in. What learns, and the optimizer's state, is Float32 always.</summary>
public enum ComputeDtype
{
    /// <summary>Float32.</summary>
    Float32,

    /// <summary>
    /// Products in 16 bits; sums, norms, softmax and residual stream in Float32. They are BFloat16 on a GPU and on a processor with instructions for it (AVX512-BF16 or AMX), where a
    /// frozen base is held in it too, which halves its memory. On a processor with AVX2 and without AVX-512 they are made of 16-bit integers with a scale for each 128 numbers, faster than
    /// Float32 and closer to it than BFloat16 is. BFloat16 is emulated, and slow, on all others.
    /// </summary>
    BFloat16,

    /// <summary><see cref="BFloat16"/> on a GPU, and where the processor gains by it and the model is at least 256 wide, below which there is nothing to gain; Float32 elsewhere.</summary>
    Auto,
}
