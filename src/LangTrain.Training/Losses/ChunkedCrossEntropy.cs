using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Training.Losses;

/// <summary>The language-model head and its cross-entropy, a few positions at a time, so that the full logits never exist.</summary>
/// <remarks>
/// At a vocabulary of 128k the logits of 4,096 positions take 2 GB, and as much again for their gradient. Here one chunk's
/// logits become its softmax and then its gradient in place, and only the gradient with respect to the hidden states
/// (and, when the head itself learns, to its weight) is kept. Letters: N trained positions, n those of a chunk, C hidden, V vocabulary.
/// </remarks>
internal static class ChunkedCrossEntropy
{
    // 16 MB of fp32 logits: they stay in a processor's cache from product to softmax to product, and are enough rows for full matmul speed.
    private const long ChunkElements = 4L << 20;

    /// <summary>Sums the cross-entropy of all positions and finds its gradient.</summary>
    /// <param name="hidden">[N, C], floating point; the final norm's output at the trained positions.</param>
    /// <param name="head">[V, C]; converted where its dtype is not that of <paramref name="hidden"/>.</param>
    /// <param name="targets">[N], int64, each below V.</param>
    /// <param name="gradientScale">What one position's loss counts in the gradient, such as 1 / trained tokens of the step.</param>
    /// <param name="headGradient">[V, C], the scaled gradient is added to it; null if the head is frozen.</param>
    /// <param name="softCap">Gemma 2's cap c: logits become c * tanh(logits / c). Null for none.</param>
    /// <param name="weights">[N], floating, what each position's loss counts in the gradient besides the scale, below 0 to make its target less likely; null for 1.</param>
    /// <param name="int16Products">Products with the head in 16-bit integers, see <see cref="ForwardPass.Int16Products"/>.</param>
    /// <returns>
    /// The unscaled sum of losses (scalar, fp64) and the scaled gradient with respect to <paramref name="hidden"/>
    /// ([N, C]); both fresh, owned by the caller's scope.
    /// </returns>
    public static (Tensor LossSum, Tensor HiddenGradient) Backward(
        Tensor hidden, Tensor head, Tensor targets, double gradientScale, Tensor? headGradient = null, double? softCap = null, Tensor? weights = null, bool int16Products = false)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var lossSum = zeros([], dtype: ScalarType.Float64, device: hidden.device);
        var hiddenGradient = empty_like(hidden);
        head = head.to_type(hidden.dtype);
        var rows = ChunkRows(head.shape[0]);
        var packed = hidden.shape[0] > rows && !int16Products ? WeightProduct.Pack(head, rows) : null; // its order is made for this many rows and slow for others
        foreach (var (start, length) in Chunks(hidden.shape[0], head.shape[0]))
        {
            using var chunkScope = NewDisposeScope();
            var states = hidden.narrow(0, start, length); // [n, C]
            var labels = targets.narrow(0, start, length).unsqueeze(1); // [n, 1]
            var product = length == rows && packed is not null ? WeightProduct.ForwardPacked(states, packed) : WeightProduct.Forward(states, head, int16Products);
            var (logits, capped) = Logits(product, softCap); // [n, V]
            var (loss, probabilities) = SoftmaxAndLoss(logits, labels);
            lossSum.AddInPlace(loss.sum(ScalarType.Float64));

            // d loss / d logits = softmax - one-hot; softmax is not needed any more, so it becomes the gradient.
            // The scale is left for the small products: a pass over [n, V] costs as much as the softmax did.
            var gradient = probabilities.scatter_add_(1, labels, full_like(labels, Scalars.Of(-1.0), dtype: probabilities.dtype));
            if (capped is not null)
            {
                gradient.mul_(capped.mul_(capped).neg_().AddInPlace(1)); // d tanh
            }

            gradient = gradient.to_type(hidden.dtype);
            hiddenGradient.narrow(0, start, length).copy_(WeightProduct.Backward(gradient, head, int16Products));
            if (headGradient is not null)
            {
                var weighted = weights is null ? states : states * weights.narrow(0, start, length).unsqueeze(1).to_type(states.dtype);
                _ = headGradient.dtype == states.dtype
                    ? headGradient.addmm_(gradient.t(), weighted, beta: 1, alpha: (float)gradientScale)
                    : headGradient.add_(gradient.t().matmul(weighted), Scalars.Of(gradientScale)); // bf16 products, fp32 sum
            }
        }

        hiddenGradient.mul_(Scalars.Of(gradientScale));
        if (weights is not null)
        {
            hiddenGradient.mul_(weights.unsqueeze(1).to_type(hiddenGradient.dtype));
        }

        return scope.MoveToOuter(lossSum, hiddenGradient);
    }

    /// <summary>Sums the cross-entropy of all positions and counts those whose target is the most likely token.</summary>
    /// <returns>Scalars, fp64 and int64; fresh, owned by the caller's scope.</returns>
    public static (Tensor LossSum, Tensor Hits) Evaluate(Tensor hidden, Tensor head, Tensor targets, double? softCap = null)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var lossSum = zeros([], dtype: ScalarType.Float64, device: hidden.device);
        var hits = zeros([], dtype: ScalarType.Int64, device: hidden.device);
        foreach (var (start, length) in Chunks(hidden.shape[0], head.shape[0]))
        {
            using var chunkScope = NewDisposeScope();
            var labels = targets.narrow(0, start, length); // [n]
            var (logits, _) = Logits(WeightProduct.Forward(hidden.narrow(0, start, length), head), softCap); // [n, V]
            hits.AddInPlace(logits.argmax(-1).eq(labels).sum());
            lossSum.AddInPlace(SoftmaxAndLoss(logits, labels.unsqueeze(1)).Loss.sum(ScalarType.Float64));
        }

        return scope.MoveToOuter(lossSum, hits);
    }

    /// <summary>The log-probability of every position's target.</summary>
    /// <returns>[N], fp32, or fp64 of fp64 states; fresh, owned by the caller's scope.</returns>
    public static Tensor LogProbabilities(Tensor hidden, Tensor head, Tensor targets, double? softCap = null, bool int16Products = false)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var result = empty([hidden.shape[0]], Wide(hidden), hidden.device);
        foreach (var (start, length) in Chunks(hidden.shape[0], head.shape[0]))
        {
            using var chunkScope = NewDisposeScope();
            var (logits, _) = Logits(WeightProduct.Forward(hidden.narrow(0, start, length), head, int16Products), softCap); // [n, V]
            var (loss, _) = SoftmaxAndLoss(logits, targets.narrow(0, start, length).unsqueeze(1)); // [n, 1]
            result.narrow(0, start, length).copy_(loss.neg_().squeeze(1));
        }

        return scope.MoveToOuter(result);
    }

    private static IEnumerable<(long Start, long Length)> Chunks(long positions, long vocabulary)
    {
        var size = ChunkRows(vocabulary);
        for (var start = 0L; start < positions; start += size)
        {
            yield return (start, Math.Min(size, positions - start));
        }
    }

    // An odd number of rows shares out badly between threads: 131 take a third longer than 128.
    private static long ChunkRows(long vocabulary) => Math.Max(16, ChunkElements / vocabulary / 32 * 32);

    private static (Tensor Logits, Tensor? Capped) Logits(Tensor product, double? softCap)
    {
        // The softmax is taken in fp32 (fp64 of fp64) whatever the model computes in: bf16 has 8 bits for a sum over the whole vocabulary.
        var logits = product.to_type(Wide(product));
        if (softCap is not { } cap)
        {
            return (logits, null);
        }

        var capped = logits.div_(Scalars.Of(cap)).tanh_();
        return (capped.mul(Scalars.Of(cap)), capped);
    }

    private static ScalarType Wide(Tensor states) => states.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;

    private static (Tensor Loss, Tensor Probabilities) SoftmaxAndLoss(Tensor logits, Tensor labels)
    {
        // One exponential an element: what softmax divided by is found again at the largest logit, whose probability cannot underflow.
        var largest = logits.amax([-1], keepdim: true); // [n, 1]
        var probabilities = nn.functional.softmax(logits, -1); // [n, V]
        var loss = largest.sub_(logits.gather(1, labels)).sub_(probabilities.amax([-1], keepdim: true).log_());
        return (loss, probabilities);
    }
}
