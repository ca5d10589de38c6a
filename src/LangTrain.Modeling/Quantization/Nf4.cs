using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// 4-bit NormalFloat with double quantization (arXiv:2305.14314, section 3): each weight is the nearest of 16 quantiles of a normal distribution, scaled by the
/// largest absolute value of its block of 64; those block scales, less their mean, are the nearest of 256 values (<see cref="ScaleTable"/>) with one Float32 scale
/// for each 256 blocks. About 4.127 bits a weight.
/// </summary>
/// <remarks>The numbers are those of bitsandbytes (<c>quantize_4bit</c>, nf4, <c>compress_statistics</c>), so that a QLoRA adapter meets here the base that it meets there.</remarks>
public static class Nf4
{
    /// <summary>Weights that share a scale.</summary>
    public const int BlockSize = 64;

    /// <summary>Scales that share a scale.</summary>
    public const int ScaleBlockSize = 256;

    /// <summary>The code book of appendix E, exactly.</summary>
    internal static readonly float[] Codes =
    [
        -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
    ];

    /// <summary>No block's values are divided by less than this.</summary>
    internal const float SmallestScale = 1e-38f;

    /// <summary>Between neighbours of the code book: a value's code is how many of these are below it.</summary>
    internal static readonly float[] Middles = [.. Enumerable.Range(0, 15).Select(i => (Codes[i] + Codes[i + 1]) / 2)];

    private static readonly Lazy<float[]> s_scaleValues = new(ScaleValues);

    /// <summary>Quantizes a weight.</summary>
    /// <param name="weight">[out, in], floating; not changed.</param>
    /// <param name="dtype">Type that it will be dequantized to; null is the weight's.</param>
    /// <returns>Owned by the caller, outside any dispose scope.</returns>
    /// <exception cref="ArgumentException">The weight is not a matrix, or holds NaN or infinity.</exception>
    public static Nf4Weight Quantize(Tensor weight, ScalarType? dtype = null)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.dim() != 2 || weight.numel() == 0)
        {
            throw new ArgumentException("Only matrices are quantized.", nameof(weight));
        }

        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        long count = weight.numel(), blocks = (count + BlockSize - 1) / BlockSize;
        Tensor flat = weight.detach().to(ScalarType.Float32).reshape(-1);
        Tensor table = Pad(flat, blocks * BlockSize).view(blocks, BlockSize);
        (Tensor largest, Tensor packed) = Nf4Kernel.Fits(weight.device) ? Nf4Kernel.Encode(table) : Encode(table);
        if (!largest.isfinite().all().item<bool>())
        {
            throw new ArgumentException("The weight holds NaN or infinity.", nameof(weight));
        }

        (Tensor scaleCodes, Tensor scaleOfScales, float mean) = QuantizeScales(largest);
        return new Nf4Weight(weight.shape, dtype ?? weight.dtype, packed, scaleCodes, scaleOfScales, mean);
    }

    /// <summary>What <see cref="Nf4Kernel.Encode"/> does, on any device.</summary>
    internal static (Tensor Largest, Tensor Codes) Encode(Tensor table)
    {
        Tensor largest = table.abs().amax([1]); // [blocks]

        // The paper normalizes by the exact scale, not by its quantized form; times the reciprocal, as on every processor that bitsandbytes has a kernel for.
        Tensor normalized = table * largest.clamp_min(Scalars.Of(SmallestScale)).reciprocal().unsqueeze(1);
        Tensor codes = bucketize(normalized, tensor(Middles, device: table.device)).to(ScalarType.Byte).view(-1, 2); // [blocks · 32, 2]
        return (largest, codes.select(1, 0).mul(Scalars.Of(16)).Plus(codes.select(1, 1)));
    }

    /// <summary>
    /// The values of a block scale's byte, ascending: bitsandbytes' signed dynamic map. For each power of ten from 1e-6 to 1 it has 1, 2, 4, … 64 values, evenly
    /// spread over a decade, and as many below 0; besides, 0 and 1.
    /// </summary>
    /// <returns>[256], Float32; fresh, owned by the caller's scope.</returns>
    /// <remarks>arXiv:1511.04561.</remarks>
    internal static Tensor ScaleTable(Device device) => tensor(s_scaleValues.Value, device: device);

    private static float[] ScaleValues()
    {
        using var scope = NewDisposeScope();
        List<Tensor> values = [tensor(new float[] { 0, 1 })];
        for (int power = -6; power <= 0; power++)
        {
            long count = 1L << (power + 6);
            Tensor borders = linspace(0.1, 1, count + 1, ScalarType.Float32);
            Tensor decade = borders.narrow(0, 0, count).Plus(borders.narrow(0, 1, count)).div_(Scalars.Of(2.0)).mul_(Scalars.Of(Math.Pow(10, power)));
            values.AddRange([decade, decade.neg()]);
        }

        return cat(values).sort().Values.data<float>().ToArray();
    }

    private static (Tensor Codes, Tensor Scales, float Mean) QuantizeScales(Tensor largest)
    {
        long blocks = largest.numel(), groups = (blocks + ScaleBlockSize - 1) / ScaleBlockSize;
        float mean = largest.mean().item<float>();
        Tensor centered = Pad(largest.sub(Scalars.Of(mean)), groups * ScaleBlockSize).view(groups, ScaleBlockSize);
        Tensor scales = centered.abs().amax([1]); // [groups]
        Tensor table = ScaleTable(largest.device);
        Tensor middles = table.narrow(0, 0, 255).Plus(table.narrow(0, 1, 255)).div_(Scalars.Of(2.0));
        Tensor nearest = bucketize(centered * scales.clamp_min(Scalars.Of(SmallestScale)).reciprocal().unsqueeze(1), middles);
        return (nearest.view(-1).narrow(0, 0, blocks).to(ScalarType.Byte), scales, mean);
    }

    private static Tensor Pad(Tensor flat, long length) => flat.numel() == length ? flat : cat([flat, zeros(length - flat.numel(), flat.dtype, flat.device)]);
}
