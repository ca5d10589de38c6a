using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>What a low-rank update keeps.</summary>
/// <param name="Low">[N, R], input · Aᵀ.</param>
/// <param name="Mask">[N, in], 0 where the input was dropped and 1 / (1 - dropout) elsewhere; null without dropout.</param>
internal sealed record LoraTape(Tensor Low, Tensor? Mask);
