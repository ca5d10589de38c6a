using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Who attends to whom in one kind of layer.</summary>
/// <param name="Additive">[B or 1, 1, T, S], 0 where attended and -inf elsewhere, compute dtype; null where one of the others, or nothing, says it all.</param>
/// <param name="IsCausal">Token t attends to tokens 0..t of a square; libtorch's kernel needs no mask for it.</param>
/// <param name="FirstKeys">[T] or [B · T], the first token that each one attends to, up to itself and without gaps: all that <see cref="TrackedAttention"/> needs. Null for the others.</param>
internal readonly record struct AttentionMask(Tensor? Additive, bool IsCausal, int[]? FirstKeys = null)
{
    public static AttentionMask Create(ForwardPass pass, CachePlan? cache, int batch, int tokens, int? window, Device device, ScalarType dtype)
    {
        int total = cache?.TotalLength ?? tokens;
        bool windowMatters = window is { } size && total > size;
        if (pass.Segments is null && !windowMatters && (cache is null || cache.CommonLength is not null))
        {
            if (tokens == 1)
            {
                return new(null, false);
            }

            if (total == tokens)
            {
                return new(null, true);
            }
        }

        Tensor key = Scalars.Range(0, total, device).view(1, 1, 1, total); // [1, 1, 1, S]
        Tensor query = cache is null || cache.CommonLength is not null
            ? Scalars.Range(total - tokens, total, device).view(1, 1, tokens, 1)
            : tensor(Enumerable.Range(0, batch).Select(b => (long)cache.Length(b)).ToArray(), device: device).view(batch, 1)
                .Plus(Scalars.Range(0, tokens, device).view(1, tokens)).view(batch, 1, tokens, 1); // [B, 1, T, 1], index of the token in its row
        Tensor attended = key <= query;
        if (windowMatters)
        {
            attended = attended.logical_and(key > query.sub(Scalars.Of(window!.Value)));
        }

        if (pass.Segments is { } segments)
        {
            // Padding (0) attends to padding: a row of -inf only would make NaN, and NaN spreads in the backward pass.
            attended = attended.logical_and(segments.view(batch, 1, tokens, 1) == segments.view(batch, 1, 1, tokens));
        }

        return new(zeros(attended.shape, dtype, device).masked_fill_(attended.logical_not(), Scalars.Of(double.NegativeInfinity)), false);
    }

    /// <summary>For <see cref="TrackedAttention"/>: a number for each token, in place of one for each two.</summary>
    /// <param name="segments">[B, T], see <see cref="ForwardPass.Segments"/>.</param>
    /// <param name="tokens">T.</param>
    /// <param name="window">Of a sliding layer.</param>
    public static AttentionMask OfFirstKeys(Tensor? segments, int tokens, int? window)
    {
        ReadOnlySpan<long> words = segments is null ? default : segments.contiguous().data<long>().ToArray();
        var first = new int[segments is null ? tokens : words.Length];
        for (int i = 0; i < first.Length; i++)
        {
            int token = i % tokens, least = window is { } size ? Math.Max(0, token - size + 1) : 0;
            int begin = token == 0 ? 0 : segments is null || words[i] == words[i - 1] ? first[i - 1] : token;
            first[i] = Math.Max(begin, least);
        }

        return new(null, false, first);
    }
}
