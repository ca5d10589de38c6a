using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>softmax(scale · q·kᵀ + mask)·v with grouped key/value heads, by libtorch's fused kernel where it fits.</summary>
internal static class AttentionKernel
{
    /// <param name="q">[B, H, T, D].</param>
    /// <param name="k">[B, K, S, D]; K divides H.</param>
    /// <param name="v">[B, K, S, D].</param>
    /// <param name="mask">Who attends to whom.</param>
    /// <param name="scale">Factor on q·k.</param>
    /// <param name="softCap">Cap on the scaled scores, or null.</param>
    /// <returns>[B, H, T, D].</returns>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v, AttentionMask mask, double scale, double? softCap)
    {
        long batch = q.shape[0], heads = q.shape[1], tokens = q.shape[2], size = q.shape[3], groups = k.shape[1];
        if (softCap is { } cap)
        {
            return AttendWithCap(q.mul(Scalars.Of(scale)), Repeat(k, heads), Repeat(v, heads), mask, cap);
        }

        // The kernel scales by 1/sqrt(D); what differs from it goes into the queries.
        double own = 1 / Math.Sqrt(size);
        q = Math.Abs(scale / own - 1) < 1e-12 ? q : q.mul(Scalars.Of(scale / own));
        if (heads == groups)
        {
            return nn.functional.scaled_dot_product_attention(q, k, v, mask.Additive!, 0, mask.IsCausal);
        }

        if (tokens == 1)
        {
            // Decoding: the H/K query heads of a group are so many queries of one key head, and the cache need not be copied H/K times.
            Tensor folded = q.reshape(batch, groups, heads / groups, size);
            return nn.functional.scaled_dot_product_attention(folded, k, v, mask.Additive!, 0, false).reshape(batch, heads, 1, size);
        }

        return nn.functional.scaled_dot_product_attention(q, Repeat(k, heads), Repeat(v, heads), mask.Additive!, 0, mask.IsCausal);
    }

    /// <summary>Written out: no fused kernel knows the cap.</summary>
    private static Tensor AttendWithCap(Tensor q, Tensor k, Tensor v, AttentionMask mask, double cap)
    {
        Tensor scores = matmul(q, k.transpose(-2, -1)).div(Scalars.Of(cap)).tanh().mul(Scalars.Of(cap)); // [B, H, T, S]
        if (mask.Additive is { } additive)
        {
            scores = scores.Plus(additive);
        }
        else if (mask.IsCausal)
        {
            long tokens = q.shape[2];
            scores = scores.masked_fill(ones(tokens, tokens, ScalarType.Bool, q.device).triu(1), Scalars.Of(double.NegativeInfinity));
        }

        return matmul(scores.softmax(-1, scores.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32).to(v.dtype), v);
    }

    /// <returns>[B, H, S, D] from [B, K, S, D], each key head H/K times in a row.</returns>
    private static Tensor Repeat(Tensor x, long heads) => x.shape[1] == heads
        ? x
        : x.unsqueeze(2).expand(x.shape[0], x.shape[1], heads / x.shape[1], x.shape[2], x.shape[3]).reshape(x.shape[0], heads, x.shape[2], x.shape[3]);
}
