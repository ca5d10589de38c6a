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

    /// <summary>The weight is being trained.</summary>
    public bool Learns => weight.requires_grad;

    /// <summary>C.</summary>
    public long Size => weight.shape[0];

    public double InitialValue => _addsOne ? 0 : 1;

    /// <returns>Shape and dtype of <paramref name="x"/>.</returns>
    public Tensor Forward(Tensor x)
    {
        bool narrow = x.dtype is ScalarType.BFloat16 or ScalarType.Float16;
        Tensor wide = narrow ? x.to(ScalarType.Float32) : x;
        Tensor scale = (wide * wide).mean([-1], keepdim: true).AddInPlace(_epsilon).rsqrt_();
        if (_addsOne)
        {
            // Gemma multiplies before it narrows, Llama after.
            return (wide * scale * Factor(wide.dtype)).to(x.dtype);
        }

        return (narrow ? (wide * scale).to(x.dtype) : wide * scale) * weight;
    }

    /// <summary>Forward for a derived gradient.</summary>
    /// <param name="x">[…, C].</param>
    /// <param name="dtype">Type of the result.</param>
    /// <returns>[…, C], and the factors 1/rms(x), [..., 1], at least Float32.</returns>
    public (Tensor Normed, Tensor Scale) Track(Tensor x, ScalarType dtype)
    {
        Tensor wide = x.to(Wide(x));
        Tensor scale = (wide * wide).mean([-1], keepdim: true).AddInPlace(_epsilon).rsqrt_();
        return (Apply(wide, scale, dtype), scale);
    }

    /// <summary>The result again, from its factors.</summary>
    public Tensor Apply(Tensor x, Tensor scale, ScalarType dtype) => (x * scale).mul_(Factor(scale.dtype)).to(dtype);

    /// <summary>The gradient: with n = x · s and g = dy · w, dx = s · (g - n · mean(g · n)) and dw = sum(dy · n).</summary>
    /// <param name="gradient">[…, C], of the result.</param>
    /// <param name="x">[…, C], as given to <see cref="Track"/>.</param>
    /// <param name="scale">[…, 1], from there.</param>
    /// <returns>[…, C], at least Float32.</returns>
    public Tensor Backward(Tensor gradient, Tensor x, Tensor scale)
    {
        Tensor normed = x * scale, wide = gradient.to(scale.dtype);
        if (weight.requires_grad)
        {
            Gradients.Add(weight, (wide * normed).reshape(-1, Size).sum([0]));
        }

        Tensor inner = wide * Factor(scale.dtype);
        Tensor share = (inner * normed).mean([-1], keepdim: true);
        return inner.addcmul_(normed, share, Scalars.Of(-1)).mul_(scale);
    }

    private Tensor Factor(ScalarType dtype) => _addsOne ? weight.to(dtype).Plus(1) : weight.to(dtype);

    private static ScalarType Wide(Tensor x) => x.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
}
