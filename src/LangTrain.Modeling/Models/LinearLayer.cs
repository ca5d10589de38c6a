using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// y = x·Wᵀ + b, plus what the pass's adapters add to their rows. The weight is dense, or quantized and then dequantized only inside the product,
/// forward and backward.
/// </summary>
/// <remarks>Not thread-safe while being loaded; passes of several threads may share it afterwards.</remarks>
public sealed class LinearLayer : nn.Module
{
    private readonly Parameter? weight; // [out, in]
    private readonly Parameter? bias; // [out]
    private QuantizedWeight? _quantized;

    internal LinearLayer(string name, int inputSize, int outputSize, bool hasBias, ModelLoadOptions options)
        : base(nameof(LinearLayer))
    {
        ModuleName = name;
        InputSize = inputSize;
        OutputSize = outputSize;
        IsQuantized = options.Quantization != Quantization.None;
        weight = IsQuantized ? null : ModelParameters.Empty(options, outputSize, inputSize);
        bias = hasBias ? ModelParameters.Empty(options, outputSize) : null;
        RegisterComponents();
    }

    /// <summary>The module's name in the checkpoint, such as <c>model.layers.0.self_attn.q_proj</c>.</summary>
    public string ModuleName { get; }

    /// <summary>Width of the input.</summary>
    public int InputSize { get; }

    /// <summary>Width of the output.</summary>
    public int OutputSize { get; }

    /// <summary>The weight is kept in fewer bits.</summary>
    public bool IsQuantized { get; }

    /// <summary>Bytes that the weight takes in memory.</summary>
    public long WeightBytes => _quantized?.ByteCount ?? (weight is null ? 0 : weight.numel() * weight.element_size());

    /// <summary>A copy of the weight, dense.</summary>
    /// <returns>[out, in], compute dtype; fresh, owned by the caller's scope.</returns>
    public Tensor DenseWeight() => _quantized is { } quantized ? quantized.Dequantize() : weight!.detach().clone();

    /// <summary>The weight for reading: the parameter itself, or a dequantized copy.</summary>
    internal Tensor ReadWeight() => _quantized is { } quantized ? quantized.Dequantize() : weight!;

    /// <summary>The weight where it is quantized and loaded.</summary>
    internal QuantizedWeight? Quantized => _quantized;

    internal void SetQuantized(QuantizedWeight quantized)
    {
        _quantized?.Dispose();
        _quantized = quantized;
    }

    /// <summary>Runs the layer.</summary>
    /// <param name="x">[B, T, in], compute dtype.</param>
    /// <param name="pass">Adapters and dropout of the pass.</param>
    /// <returns>[B, T, out]; fresh, owned by the caller's scope.</returns>
    internal Tensor Forward(Tensor x, PassContext pass)
    {
        Tensor result = Multiply(x, bias);
        foreach ((LoraAdapter adapter, Tensor? rows) in pass.Adapters)
        {
            if (adapter.Find(ModuleName) is { } lora)
            {
                result = rows is null
                    ? lora.AddTo(result, x, this, pass.Pass)
                    : result.index_copy(0, rows, lora.AddTo(result.index_select(0, rows), x.index_select(0, rows), this, pass.Pass));
            }
        }

        return result;
    }

    /// <summary>The base product alone.</summary>
    internal Tensor Multiply(Tensor x, Tensor? addend) => _quantized is { } quantized
        ? quantized.Multiply(x, addend)
        : WeightProduct.Linear(x, weight!, addend);

    /// <summary>Whether a backward pass needs the layer's input: its weight, or an adapter on it, learns.</summary>
    internal bool NeedsInput(PassContext pass) => weight is { requires_grad: true } || pass.Adapter?.Find(ModuleName) is not null;

    /// <summary>Forward for a derived gradient.</summary>
    /// <param name="x">[N, in], compute dtype.</param>
    /// <param name="pass">The pass, with one adapter for all rows or none.</param>
    /// <param name="kept">Owner of what is kept.</param>
    /// <returns>[N, out]; and what the adapter keeps.</returns>
    internal (Tensor Result, LoraTape? Tape) Track(Tensor x, PassContext pass, KeptTensors kept)
    {
        Tensor dense = ReadWeight();
        Tensor result = WeightProduct.Forward(x, dense, pass.Pass.Int16Products);
        ReleaseCopy(dense);
        if (bias is not null)
        {
            result.AddInPlace(bias);
        }

        return (result, pass.Adapter?.Find(ModuleName)?.Track(result, x, pass.Pass, kept));
    }

    /// <summary>The gradient: dx = dy·W plus the adapter's part, dW = dyᵀ·x, db = sum(dy).</summary>
    /// <param name="gradient">[N, out].</param>
    /// <param name="x">[N, in], as given to <see cref="Track"/>; null where <see cref="NeedsInput"/> is false.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="tape">From <see cref="Track"/>.</param>
    /// <param name="sum">[N, in], changed: dx is added to it. Null: dx is a new tensor.</param>
    /// <param name="needsInput">False if nobody wants dx.</param>
    /// <returns>[N, in], or null without <paramref name="needsInput"/>.</returns>
    internal Tensor? Backward(Tensor gradient, Tensor? x, PassContext pass, LoraTape? tape, Tensor? sum = null, bool needsInput = true)
    {
        if (weight is { requires_grad: true })
        {
            Gradients.AddProduct(weight, gradient.t(), x!);
        }

        if (bias is { requires_grad: true })
        {
            Gradients.Add(bias, gradient.sum([0]));
        }

        Tensor? result = null;
        if (needsInput)
        {
            Tensor dense = ReadWeight();
            result = WeightProduct.Backward(gradient, dense, pass.Pass.Int16Products);
            ReleaseCopy(dense);
        }

        if (tape is not null)
        {
            pass.Adapter!.Find(ModuleName)!.Backward(gradient, x!, tape, result);
        }

        return result is null || sum is null ? result : sum.AddInPlace(result);
    }

    internal Tensor? Bias => bias;

    /// <summary>A dequantized copy does not wait for the end of its scope: it is as large as all that quantization saves.</summary>
    private void ReleaseCopy(Tensor read)
    {
        if (IsQuantized)
        {
            read.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _quantized?.Dispose();
        }

        base.Dispose(disposing);
    }
}
