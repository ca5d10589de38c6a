using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Layer norm with weight and bias (arXiv:1607.06450), as in GPT-2.</summary>
internal sealed class LayerNormLayer : nn.Module
{
    private readonly Parameter weight, bias; // [C]
    private readonly double _epsilon;

    public LayerNormLayer(ModelConfig config, ModelLoadOptions options)
        : base(nameof(LayerNormLayer))
    {
        weight = ModelParameters.Empty(options, config.HiddenSize);
        bias = ModelParameters.Empty(options, config.HiddenSize);
        _epsilon = config.NormEpsilon;
        RegisterComponents();
    }

    /// <returns>Shape and dtype of <paramref name="x"/>.</returns>
    public Tensor Forward(Tensor x) => nn.functional.layer_norm(x, weight.shape, weight, bias, _epsilon);
}
