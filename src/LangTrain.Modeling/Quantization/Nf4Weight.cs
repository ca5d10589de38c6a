using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>A weight matrix kept as NF4 (see <see cref="Nf4"/>).</summary>
public sealed class Nf4Weight : QuantizedWeight
{
    private readonly Tensor _codes, _scaleCodes, _scaleOfScales, _scaleTable;
    private readonly Tensor? _pairs;
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

        if (!Nf4Kernel.Fits(codes.device))
        {
            // One byte holds two codes: a row of this table is both their values.
            float[] pairs = [.. Enumerable.Range(0, 256).SelectMany(code => (float[])[Nf4.Codes[code >> 4], Nf4.Codes[code & 15]])];
            _pairs = tensor(pairs, device: codes.device).view(256, 2).DetachFromDisposeScope();
        }

        using var scope = NewDisposeScope();
        _scaleTable = Nf4.ScaleTable(codes.device).DetachFromDisposeScope();
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
        Tensor scales = Scales();
        Tensor values = _pairs is null
            ? Nf4Kernel.Decode(_codes, scales)
            : _pairs.index_select(0, _codes.to(ScalarType.Int32)).view(-1, Nf4.BlockSize).mul_(scales.unsqueeze(1));
        long count = _shape[0] * _shape[1];
        return values.view(-1).narrow(0, 0, count).view(_shape).to(Dtype).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    private protected override Tensor Product(Tensor x) =>
        FewRowsProduct.Fits(x) && Dtype == ScalarType.Float32 && _pairs is null && _shape[1] % Nf4.BlockSize == 0 ? FewRows(x) : base.Product(x);

    private unsafe Tensor FewRows(Tensor x)
    {
        using var scope = NewDisposeScope();
        Tensor scales = Scales();
        var factors = (float*)TorchOperator.DataOf(scales);
        var codes = (byte*)TorchOperator.DataOf(_codes);
        long blocksOfRow = _shape[1] / Nf4.BlockSize;
        return FewRowsProduct.Forward(x, _shape[0], (from, end, to) =>
        {
            for (long block = from * blocksOfRow; block < end * blocksOfRow; block++, to += Nf4.BlockSize)
            {
                Nf4Kernel.DecodeBlock(codes + block * Nf4.BlockSize / 2, factors[block], to);
            }
        }).MoveToOuterDisposeScope();
    }

    /// <summary>[blocks], the factor of each block's values; fresh, owned by the caller's scope.</summary>
    private Tensor Scales()
    {
        using var scope = NewDisposeScope();
        Tensor unit = _scaleTable.index_select(0, _scaleCodes.to(ScalarType.Int32));
        Tensor factors = _scaleOfScales.repeat_interleave(Nf4.ScaleBlockSize).narrow(0, 0, _scaleCodes.numel());
        return unit.mul_(factors).AddInPlace(_mean).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (Tensor? tensor in (Tensor?[])[_codes, _scaleCodes, _scaleOfScales, _pairs, _scaleTable])
        {
            tensor?.Dispose();
        }
    }
}
