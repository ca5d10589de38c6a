using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>A weight matrix kept as NF4 (see <see cref="Nf4"/>).</summary>
public sealed class Nf4Weight : QuantizedWeight
{
    private readonly Tensor _codes, _scaleCodes, _scaleOfScales, _pairs, _scaleTable;
    private readonly float _mean;
    private readonly long[] _shape;

    internal Nf4Weight(long[] shape, ScalarType dtype, Tensor codes, Tensor scaleCodes, Tensor scaleOfScales, float mean)
    {
        _shape = shape;
        Dtype = dtype;
        _mean = mean;
        _codes = codes.DetachFromDisposeScope();
        _scaleCodes = scaleCodes.clone().DetachFromDisposeScope();
        _scaleOfScales = scaleOfScales.DetachFromDisposeScope();

        // One byte holds two codes: a row of this table is both their values.
        float[] pairs = [.. Enumerable.Range(0, 256).SelectMany(code => (float[])[Nf4.Codes[code >> 4], Nf4.Codes[code & 15]])];
        _pairs = tensor(pairs, device: codes.device).view(256, 2).DetachFromDisposeScope();
        using var scope = NewDisposeScope();
        _scaleTable = Nf4.ScaleTable().to(codes.device).DetachFromDisposeScope();
    }

    /// <summary>Type that the weight is dequantized to.</summary>
    public ScalarType Dtype { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<long> Shape => _shape;

    /// <inheritdoc/>
    public override long ByteCount => _codes.numel() + _scaleCodes.numel() + _scaleOfScales.numel() * 4 + 4;

    /// <inheritdoc/>
    public override Tensor Dequantize()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        long blocks = _scaleCodes.numel(), groups = _scaleOfScales.numel();
        Tensor unit = _scaleTable.index_select(0, _scaleCodes.to(ScalarType.Int32)); // [blocks]
        Tensor factors = _scaleOfScales.repeat_interleave(Nf4.ScaleBlockSize).narrow(0, 0, blocks);
        Tensor scales = unit.mul_(factors).AddInPlace(_mean); // [blocks]
        Tensor values = Nf4Kernel.Fits(_codes.device)
            ? Nf4Kernel.Decode(_codes, scales)
            : _pairs.index_select(0, _codes.to(ScalarType.Int32)).view(blocks, Nf4.BlockSize).mul_(scales.unsqueeze(1));
        long count = _shape[0] * _shape[1];
        return values.view(-1).narrow(0, 0, count).view(_shape).to(Dtype).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (Tensor tensor in (Tensor[])[_codes, _scaleCodes, _scaleOfScales, _pairs, _scaleTable])
        {
            tensor.Dispose();
        }
    }
}
