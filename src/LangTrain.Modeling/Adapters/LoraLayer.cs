using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>The low-rank update of one linear layer: W + s·B·A, or with DoRA m · (W + s·B·A) / ‖W + s·B·A‖.</summary>
internal sealed class LoraLayer(Parameter a, Parameter b, Parameter? magnitude, double scaling, double dropout)
{
    private readonly Lock _gate = new();
    private Tensor? _frozenGain;

    /// <summary>[R, in].</summary>
    public Parameter A => a;

    /// <summary>[out, R].</summary>
    public Parameter B => b;

    /// <summary>Factor on B·A.</summary>
    public double Scaling => scaling;

    /// <summary>[out], DoRA only.</summary>
    public Parameter? Magnitude => magnitude;

    /// <summary>Adds the update to the base layer's result.</summary>
    /// <param name="result">[n, T, out], the base layer's, not changed.</param>
    /// <param name="x">[n, T, in].</param>
    /// <param name="layer">The base layer.</param>
    /// <param name="pass">Dropout of the pass.</param>
    /// <returns>[n, T, out]; fresh, owned by the caller's scope.</returns>
    /// <exception cref="ArgumentException">Dropout without a generator.</exception>
    public Tensor AddTo(Tensor result, Tensor x, LinearLayer layer, ForwardPass pass)
    {
        bool drops = pass.Training && dropout > 0;
        Tensor input = drops ? Drop(x, pass.Generator ?? throw new ArgumentException("Training with dropout needs ForwardPass.Generator.", nameof(pass))) : x;
        Tensor low = nn.functional.linear(input, a.to(x.dtype)); // [n, T, R]
        if (magnitude is null)
        {
            // One product that reads and writes the result once: result + s · low · Bᵀ.
            long[] shape = result.shape;
            return result.view(-1, shape[^1]).addmm(low.view(-1, low.shape[^1]), b.to(x.dtype).t(), 1, (float)scaling).view(shape);
        }

        // PEFT's order of things: result + (g - 1)·W·x + g·s·B·A·x with g = m / ‖W + s·B·A‖; with dropout the base term sees the dropped input too.
        Tensor gain = Gain(layer).to(x.dtype); // [out]
        Tensor basis = drops ? layer.Multiply(input, null) : layer.Bias is { } bias ? result - bias : result;
        return result.Plus(basis * gain.sub(Scalars.Of(1))).Plus(nn.functional.linear(low, b.to(x.dtype)) * gain.mul(Scalars.Of(scaling)));
    }

    /// <summary>Adds the update to the base layer's result, for a derived gradient; not with DoRA.</summary>
    /// <param name="result">[N, out], changed.</param>
    /// <param name="x">[N, in].</param>
    /// <param name="pass">Dropout of the pass.</param>
    /// <param name="kept">Owner of what is kept.</param>
    /// <exception cref="ArgumentException">Dropout without a generator.</exception>
    public LoraTape Track(Tensor result, Tensor x, ForwardPass pass, KeptTensors kept)
    {
        Tensor? mask = pass.Training && dropout > 0
            ? kept.Keep(Mask(x, pass.Generator ?? throw new ArgumentException("Training with dropout needs ForwardPass.Generator.", nameof(pass))))
            : null;
        using Tensor? dropped = mask is null ? null : x * mask;
        Tensor low = kept.Keep((dropped ?? x).matmul(a.to(x.dtype).t())); // [N, R]
        result.addmm_(low, b.to(x.dtype).t(), 1, (float)scaling);
        return new LoraTape(low, mask);
    }

    /// <summary>The gradient: with d = s·dy·B, dB = s·dyᵀ·low, dA = dᵀ·x, dx += d·A.</summary>
    /// <param name="gradient">[N, out].</param>
    /// <param name="x">[N, in].</param>
    /// <param name="tape">From <see cref="Track"/>.</param>
    /// <param name="inputGradient">[N, in], changed; null if nobody wants it.</param>
    public void Backward(Tensor gradient, Tensor x, LoraTape tape, Tensor? inputGradient)
    {
        // Each of these is as wide as an activation, and the scope around holds a whole block's: none outlives its use.
        using Tensor low = gradient.matmul(b.to(gradient.dtype)).mul_(Scalars.Of((float)scaling)); // [N, R]; the forward pass narrows the factor too
        if (b.requires_grad)
        {
            Gradients.AddProduct(b, gradient.t(), tape.Low, (float)scaling);
            using Tensor? dropped = tape.Mask is null ? null : x * tape.Mask;
            Gradients.AddProduct(a, low.t(), dropped ?? x);
        }

        if (tape.Mask is null)
        {
            inputGradient?.addmm_(low, a.to(low.dtype), 1, 1);
        }
        else if (inputGradient is not null)
        {
            using Tensor entering = low.matmul(a.to(low.dtype)); // [N, in]
            inputGradient.addcmul_(entering, tape.Mask, Scalars.Of(1));
        }
    }

    /// <summary>The layer's weight with the update in it.</summary>
    /// <returns>[out, in], compute dtype; fresh, owned by the caller's scope.</returns>
    public Tensor Merge(LinearLayer layer)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        Tensor dense = layer.ReadWeight();
        ScalarType wide = dense.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        Tensor merged = dense.to(wide).Plus(matmul(b.to(wide), a.to(wide)).mul(Scalars.Of(scaling)));
        if (magnitude is not null)
        {
            merged = merged * Gain(layer).to(wide).unsqueeze(1);
        }

        return merged.to(dense.dtype).MoveToOuterDisposeScope();
    }

    public void Dispose() => _frozenGain?.Dispose();

    /// <summary>‖W + s·B·A‖ of each row.</summary>
    /// <returns>[out], at least Float32, without gradient; owned by the caller's scope.</returns>
    public Tensor Norm(LinearLayer layer)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        ScalarType wide = a.dtype;
        Tensor merged = layer.ReadWeight().to(wide).addmm(b, a, 1, (float)scaling);
        return RowNorms(merged).MoveToOuterDisposeScope();
    }

    /// <summary>‖·‖ of each row.</summary>
    /// <returns>[out]; fresh, owned by the caller's scope.</returns>
    internal static Tensor RowNorms(Tensor weight) => (weight * weight).sum(1).sqrt_();

    /// <summary>m / ‖W + s·B·A‖. The norm counts as a constant in the backward pass, as the paper has it (section 4.3).</summary>
    private Tensor Gain(LinearLayer layer)
    {
        if (a.requires_grad || b.requires_grad || magnitude!.requires_grad)
        {
            return magnitude! / Norm(layer);
        }

        // A served adapter does not change: its gain is worked out once.
        lock (_gate)
        {
            if (_frozenGain is null)
            {
                using var scope = NewDisposeScope();
                using var frozen = no_grad();
                _frozenGain = (magnitude / Norm(layer)).DetachFromDisposeScope();
            }

            return _frozenGain;
        }
    }

    private Tensor Drop(Tensor x, Generator generator)
    {
        using var scope = NewDisposeScope();
        return (x * Mask(x, generator)).MoveToOuterDisposeScope();
    }

    private Tensor Mask(Tensor x, Generator generator) => empty_like(x, requires_grad: false).bernoulli_(1 - dropout, generator).mul_(Scalars.Of(1 / (1 - dropout)));
}
