namespace LangTrain.Modeling;

/// <summary>How a GGUF file stores the matrices; vectors are always 32-bit.</summary>
public enum GgufType
{
    /// <summary>32-bit floats.</summary>
    F32,

    /// <summary>16-bit floats.</summary>
    F16,

    /// <summary>bfloat16.</summary>
    BF16,

    /// <summary>8-bit integers with a 16-bit scale for each 32 of a row; rows that are no multiple of 32 are stored as F16.</summary>
    Q8_0,
}
