using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>x / rms(x) · w over the last dimension (arXiv:1910.07467), in at least 32-bit arithmetic.</summary>
internal sealed class RmsNorm : nn.Module
{
    private readonly Parameter weight; // [C]
    private readonly double _epsilon;
    private readonly bool _addsOne;

    public RmsNorm(int size, ModelConfig config, ModelLoadOptions options)
        : base(nameof(RmsNorm))
    {
        weight = ModelParameters.Empty(options, size);
        _epsilon = config.NormEpsilon;
        _addsOne = config.NormAddsOne;
        RegisterComponents();
    }

    public double InitialValue => _addsOne ? 0 : 1;

    /// <returns>Shape and dtype of <paramref name="x"/>.</returns>
    public Tensor Forward(Tensor x)
    {
        bool narrow = x.dtype is ScalarType.BFloat16 or ScalarType.Float16;
        Tensor wide = narrow ? x.to(ScalarType.Float32) : x;
        Tensor scale = wide.square().mean([-1], keepdim: true).add_(_epsilon).rsqrt_();
        if (_addsOne)
        {
            // Gemma multiplies before it narrows, Llama after.
            return (wide * scale * (weight.to(wide.dtype) + 1)).to(x.dtype);
        }

        return (narrow ? (wide * scale).to(x.dtype) : wide * scale) * weight;
    }
}
