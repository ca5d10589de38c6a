using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>One tensor of a safetensors header.</summary>
/// <param name="Name">Key, such as <c>model.norm.weight</c>.</param>
/// <param name="Dtype">Element type as stored.</param>
/// <param name="Shape">Dimensions; empty for a scalar.</param>
/// <param name="Offset">First byte, from the start of the data section.</param>
/// <param name="ByteCount">Length in bytes.</param>
public sealed record SafetensorsEntry(string Name, ScalarType Dtype, IReadOnlyList<long> Shape, long Offset, long ByteCount);
