using TorchSharp;

namespace LangTrain.Training.Optimization;

/// <summary>One tensor that a run changes.</summary>
/// <param name="Name">Its checkpoint key, unique in the run; the optimizer's state is stored under it.</param>
/// <param name="Value">The leaf tensor itself, with gradient; owned by the model or adapter.</param>
/// <param name="HasWeightDecay">False for norms and biases, which weight decay would only pull away from their scale.</param>
internal sealed record TrainedParameter(string Name, torch.Tensor Value, bool HasWeightDecay)
{
    /// <summary>Lists named parameters; matrices decay, vectors (norms, biases, DoRA magnitudes) do not.</summary>
    public static IReadOnlyList<TrainedParameter> From(IEnumerable<(string name, TorchSharp.Modules.Parameter parameter)> named) =>
        named.Select(p => new TrainedParameter(p.name, p.parameter, p.parameter.dim() >= 2)).ToArray();
}
