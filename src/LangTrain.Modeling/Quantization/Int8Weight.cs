using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>A weight matrix as 8-bit integers with one Float32 scale for each <see cref="GroupSize"/> of a row: w ≈ scale · code.</summary>
/// <remarks>Symmetric and without an offset: the largest of a group is ±127, so that a weight is off by 1/254 of it at most.</remarks>
public sealed class Int8Weight : QuantizedWeight
{
    /// <summary>Weights of a row that share a scale; the last group of a row may have fewer.</summary>
    public const int GroupSize = 64;

    private readonly Tensor _codes, _scales;
    private readonly ScalarType _dtype;

    private Int8Weight(Tensor codes, Tensor scales, ScalarType dtype)
    {
        (_codes, _scales, _dtype) = (codes.DetachFromDisposeScope(), scales.DetachFromDisposeScope(), dtype);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<long> Shape => _codes.shape;

    /// <inheritdoc/>
    public override long ByteCount => _codes.numel() + _scales.numel() * sizeof(float);

    /// <summary>[out, in], Int8, contiguous.</summary>
    internal Tensor Codes => _codes;

    /// <summary>[out, in / <see cref="GroupSize"/>, rounded up], Float32, contiguous.</summary>
    internal Tensor Scales => _scales;

    /// <summary>Quantizes a matrix.</summary>
    /// <param name="dense">[out, in], any floating type; it stays as it is.</param>
    /// <param name="dtype">Type that it is dequantized to.</param>
    public static Int8Weight Quantize(Tensor dense, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        long rows = dense.shape[0], columns = dense.shape[1], groups = (columns + GroupSize - 1) / GroupSize;
        Tensor wide = dense.to(ScalarType.Float32);
        if (columns % GroupSize != 0)
        {
            wide = nn.functional.pad(wide, [0, groups * GroupSize - columns]);
        }

        Tensor grouped = wide.reshape(rows, groups, GroupSize);
        Tensor scales = grouped.abs().amax([-1]).div_(Scalars.Of(127)); // [out, groups]
        Tensor divisors = scales.masked_fill(scales.eq(Scalars.Of(0)), Scalars.Of(1)).unsqueeze(-1); // A group of zeros has codes 0.
        Tensor codes = grouped.div(divisors).round_().to(ScalarType.Int8).view(rows, groups * GroupSize);
        Tensor kept = columns % GroupSize == 0 ? codes : codes.narrow(1, 0, columns).contiguous();
        return new Int8Weight(kept, scales, dtype);
    }

    /// <inheritdoc/>
    public override Tensor Dequantize() => Dequantize(_codes, _scales);

    /// <summary>Some rows of the dense weight.</summary>
    /// <param name="rows">[n] int64.</param>
    /// <returns>[n, in], compute dtype; fresh, owned by the caller's scope.</returns>
    internal Tensor DequantizeRows(Tensor rows) => Dequantize(_codes.index_select(0, rows), _scales.index_select(0, rows));

    /// <inheritdoc/>
    public override void Dispose()
    {
        _codes.Dispose();
        _scales.Dispose();
    }

    private Tensor Dequantize(Tensor codes, Tensor scales)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        Tensor each = scales.repeat_interleave(GroupSize, 1).narrow(1, 0, codes.shape[1]);
        return codes.to(ScalarType.Float32).mul_(each).to(_dtype).MoveToOuterDisposeScope();
    }
}
