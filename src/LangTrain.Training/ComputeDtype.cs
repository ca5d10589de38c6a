namespace LangTrain.Training;

/// <summary>What the products of training are computed in. What learns, and the optimizer's state, is Float32 always.</summary>
public enum ComputeDtype
{
    /// <summary>Float32.</summary>
    Float32,

    /// <summary>
    /// BFloat16 with sums, norms, softmax and residual stream in Float32. A frozen base is held in it too, which halves its memory. Emulated, and slow, on
    /// processors without instructions for it.
    /// </summary>
    BFloat16,

    /// <summary>
    /// BFloat16 on a GPU, and on a processor with instructions for it (AVX512-BF16 or AMX) where the model is at least 256 wide, below which there is
    /// nothing to gain; Float32 elsewhere.
    /// </summary>
    Auto,
}
