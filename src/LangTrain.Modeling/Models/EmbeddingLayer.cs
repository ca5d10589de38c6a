using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>A table of vectors, one a token or a position; also the output projection of models with tied embeddings.</summary>
internal sealed class EmbeddingLayer : nn.Module
{
    private readonly Parameter? weight; // [V, C]
    private readonly int _size;
    private Int8Weight? _quantized;

    public EmbeddingLayer(string name, int count, int size, ModelLoadOptions options)
        : base(nameof(EmbeddingLayer))
    {
        (ModuleName, Count, _size) = (name, count, size);
        IsQuantized = options.Quantization == Quantization.Int8;
        weight = IsQuantized ? null : ModelParameters.Empty(options, count, size);
        RegisterComponents();
    }

    /// <summary>The module's name in the checkpoint.</summary>
    public string ModuleName { get; }

    /// <summary>The table is kept as 8-bit integers.</summary>
    public bool IsQuantized { get; }

    /// <summary>[V, C].</summary>
    public long[] Shape => [Count, _size];

    /// <summary>The table: the parameter itself, or a dequantized copy that the caller's scope owns.</summary>
    public Tensor Weight => _quantized?.Dequantize() ?? weight!;

    /// <summary>The table where it is quantized and loaded.</summary>
    public Int8Weight? Quantized => _quantized;

    private int Count { get; }

    /// <returns>[B, T, C] for ids [B, T].</returns>
    public Tensor Forward(Tensor ids)
    {
        Tensor flat = ids.reshape(-1);
        return (_quantized?.DequantizeRows(flat) ?? weight!.index_select(0, flat)).view([.. ids.shape, _size]);
    }

    public void SetQuantized(Int8Weight quantized)
    {
        _quantized?.Dispose();
        _quantized = quantized;
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
