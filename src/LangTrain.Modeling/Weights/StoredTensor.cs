using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>A tensor that will be written: its description now, its values when its turn comes.</summary>
/// <param name="Name">Key in the file.</param>
/// <param name="Shape">Dimensions.</param>
/// <param name="Dtype">Element type in the file.</param>
/// <param name="Read">Gives the values, any type and device, owned by the caller's scope.</param>
internal sealed record StoredTensor(string Name, long[] Shape, ScalarType Dtype, Func<Tensor> Read);
