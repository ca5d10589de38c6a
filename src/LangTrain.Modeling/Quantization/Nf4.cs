using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// 4-bit NormalFloat with double quantization (arXiv:2305.14314, section 3): each weight is the nearest of 16 quantiles of a normal distribution, scaled by the
/// largest absolute value of its block of 64; those block scales, less their mean, are 8-bit floats (E4M3) with one Float32 scale for each 256 blocks.
/// About 4.127 bits a weight.
/// </summary>
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

    /// <summary>A block whose largest is below this is zeros.</summary>
    internal const float SmallestScale = 1e-30f;

    /// <summary>Between neighbours of the code book: a value's code is how many of these are below it.</summary>
    internal static readonly float[] Middles = [.. Enumerable.Range(0, 15).Select(i => (Codes[i] + Codes[i + 1]) / 2)];

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

        // The paper normalizes by the exact scale, not by its quantized form.
        Tensor normalized = table / largest.clamp_min(Scalars.Of(SmallestScale)).unsqueeze(1);
        Tensor codes = bucketize(normalized, tensor(Middles, device: table.device)).to(ScalarType.Byte).view(-1, 2); // [blocks · 32, 2]
        return (largest, codes.select(1, 0).mul(Scalars.Of(16)).Plus(codes.select(1, 1)));
    }

    /// <summary>The positive and negative values of an E4M3 byte, scaled to ±1; NaN codes are never made.</summary>
    internal static float[] ScaleTable()
    {
        float[] table = new float[256];
        for (int code = 0; code < 256; code++)
        {
            int exponent = code >> 3 & 15, mantissa = code & 7;
            double value = exponent == 0 ? mantissa / 8.0 * Math.Pow(2, -6) : (1 + mantissa / 8.0) * Math.Pow(2, exponent - 7);
            table[code] = (code & 127) == 127 ? 0 : (float)((code < 128 ? value : -value) / 448);
        }

        return table;
    }

    private static (Tensor Codes, Tensor Scales, float Mean) QuantizeScales(Tensor largest)
    {
        long blocks = largest.numel(), groups = (blocks + ScaleBlockSize - 1) / ScaleBlockSize;
        float mean = largest.mean().item<float>();
        Tensor centered = Pad(largest.sub(Scalars.Of(mean)), groups * ScaleBlockSize).view(groups, ScaleBlockSize);
        Tensor scales = centered.abs().amax([1]); // [groups]
        (float Value, int Code)[] sorted = [.. ScaleTable().Select((value, code) => (value, code)).Where(pair => (pair.code & 127) != 127 && pair.code != 128).OrderBy(pair => pair.value)];
        float[] middles = [.. Enumerable.Range(0, sorted.Length - 1).Select(i => (sorted[i].Value + sorted[i + 1].Value) / 2)];
        Tensor nearest = bucketize(centered / scales.clamp_min(Scalars.Of(1e-30)).unsqueeze(1), tensor(middles, device: largest.device));
        Tensor byRank = tensor(sorted.Select(pair => (byte)pair.Code).ToArray(), device: largest.device);
        return (byRank.index_select(0, nearest.view(-1)).narrow(0, 0, blocks), scales, mean);
    }

    private static Tensor Pad(Tensor flat, long length) => flat.numel() == length ? flat : cat([flat, zeros(length - flat.numel(), flat.dtype, flat.device)]);
}
