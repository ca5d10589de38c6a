using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Rotary position embeddings: pairs (i, i + D/2) of each head are turned by an angle proportional to the position.</summary>
/// <remarks>arXiv:2104.09864, section 3.4; the pairing is that of Hugging Face checkpoints.</remarks>
internal static class RotaryEmbedding
{
    /// <summary>Cosines and signed sines of the positions.</summary>
    /// <param name="rope">Settings.</param>
    /// <param name="headSize">D.</param>
    /// <param name="positions">[B or 1, T] int64.</param>
    /// <param name="dtype">Compute dtype.</param>
    /// <param name="isLong">Longrope: which tokens are turned by the long factors, all of a sequence or none; [B or 1, T or 1, 1] bool.</param>
    /// <returns>[B or 1, T, 1, rotated] each; the first half of the sines is negated, so that turning is x · cos + swap(x) · sin.</returns>
    public static (Tensor Cos, Tensor Sin) Tables(RopeSettings rope, int headSize, Tensor positions, ScalarType dtype, Tensor? isLong = null)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        ScalarType precise = dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        Tensor wide = positions.to(precise).unsqueeze(-1); // [B, T, 1]
        Tensor angles = wide * tensor(Frequencies(rope, headSize), precise, positions.device); // [B, T, rotated / 2]
        if (isLong is not null)
        {
            angles = where(isLong, wide * tensor(Frequencies(rope, headSize, isLong: true), precise, positions.device), angles);
        }

        Tensor half = angles.cos().mul_(Scalars.Of(rope.AttentionFactor)), other = angles.sin().mul_(Scalars.Of(rope.AttentionFactor));
        Tensor cos = cat([half, half], -1).unsqueeze(2).to(dtype), sin = cat([-other, other], -1).unsqueeze(2).to(dtype);
        return (cos.MoveToOuterDisposeScope(), sin.MoveToOuterDisposeScope());
    }

    /// <summary>Turns each head by its token's position.</summary>
    /// <param name="x">Heads, [B, T, H, D], compute dtype.</param>
    /// <param name="tables">From <see cref="Tables"/>.</param>
    /// <returns>[B, T, H, D]; fresh, owned by the caller's scope.</returns>
    public static Tensor Apply(Tensor x, (Tensor Cos, Tensor Sin) tables)
    {
        long size = x.shape[^1], rotated = tables.Cos.shape[^1];
        Tensor part = rotated == size ? x : x.narrow(-1, 0, rotated);
        Tensor turned = (part * tables.Cos).addcmul_(part.roll(rotated / 2, -1), tables.Sin, Scalars.Of(1));
        return rotated == size ? turned : cat([turned, x.narrow(-1, rotated, size - rotated)], -1);
    }

    /// <summary>The gradient of <see cref="Apply"/>: turned back.</summary>
    /// <param name="gradient">[B, T, H, D].</param>
    /// <param name="tables">From <see cref="Tables"/>.</param>
    /// <returns>[B, T, H, D]; fresh, owned by the caller's scope.</returns>
    public static Tensor Backward(Tensor gradient, (Tensor Cos, Tensor Sin) tables) => Apply(gradient, (tables.Cos, -tables.Sin));

    /// <summary>How many dimensions of a head are turned.</summary>
    public static int RotatedSize(RopeSettings rope, int headSize) => (int)(headSize * rope.PartialFactor) / 2 * 2;

    /// <summary>The angle that one position adds, for each pair.</summary>
    public static double[] Frequencies(RopeSettings rope, int headSize, bool isLong = false)
    {
        int rotated = RotatedSize(rope, headSize);
        double[] result = new double[rotated / 2];
        for (int i = 0; i < result.Length; i++)
        {
            double plain = Math.Pow(rope.Theta, -2.0 * i / rotated);
            result[i] = rope.Scaling switch
            {
                RopeScaling.Linear => plain / rope.Factor,
                RopeScaling.Llama3 => Llama3(rope, plain),
                RopeScaling.Yarn => Yarn(rope, plain, i, rotated),
                RopeScaling.LongRope => plain / (isLong ? rope.LongFactors : rope.ShortFactors)[i],
                _ => plain,
            };
        }

        return result;
    }

    /// <summary>arXiv:2309.00071, section 3.2, with the ramp over dimensions of its authors' code.</summary>
    private static double Yarn(RopeSettings rope, double plain, int pair, int rotated)
    {
        double Dimension(double turns) => rotated * Math.Log(rope.OriginalContextLength / (turns * 2 * Math.PI)) / (2 * Math.Log(rope.Theta));
        double low = Dimension(rope.FastTurns), high = Dimension(rope.SlowTurns);
        if (rope.WholeDimensions)
        {
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        }

        (low, high) = (Math.Max(low, 0), Math.Min(high, rotated - 1));
        double stretched = Math.Clamp((pair - low) / (high == low ? 0.001 : high - low), 0, 1);
        return plain / rope.Factor * stretched + plain * (1 - stretched);
    }

    /// <summary>As in the Llama 3.1 reference (models/llama3/reference_impl/model.py, apply_scaling).</summary>
    private static double Llama3(RopeSettings rope, double plain)
    {
        double wavelength = 2 * Math.PI / plain;
        if (wavelength < rope.OriginalContextLength / rope.HighFrequencyFactor)
        {
            return plain;
        }

        if (wavelength > rope.OriginalContextLength / rope.LowFrequencyFactor)
        {
            return plain / rope.Factor;
        }

        double smooth = (rope.OriginalContextLength / wavelength - rope.LowFrequencyFactor) / (rope.HighFrequencyFactor - rope.LowFrequencyFactor);
        return (1 - smooth) * plain / rope.Factor + smooth * plain;
    }
}
