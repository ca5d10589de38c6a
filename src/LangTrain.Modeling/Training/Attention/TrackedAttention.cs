using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Causal attention of a training pass and its gradient by <see cref="HeadAttention"/>, in Float32, the heads shared out between libtorch's threads.</summary>
/// <remarks>
/// What heads add to a key's gradient is added afterwards, in their order, so that results do not depend on the number of threads.
/// Letters: B rows, T tokens, H query and K key heads of size D, G = H / K.
/// </remarks>
internal static unsafe class TrackedAttention
{
    /// <summary>Whether it can attend for a model; if not, libtorch's kernel can. What is computed in bfloat16 is widened for it: faster than libtorch's kernel, and closer.</summary>
    /// <param name="config">The model.</param>
    /// <param name="dtype">What the pass computes in.</param>
    /// <param name="device">Where.</param>
    public static bool Fits(ModelConfig config, ScalarType dtype, Device device) =>
        TileProduct.IsSupported && config.AttentionSoftCap is null && dtype is ScalarType.Float32 or ScalarType.BFloat16 && device.type == TorchSharp.DeviceType.CPU
        && config.HeadSize % TileProduct.Columns == 0;

    /// <param name="q">[B, T, H, D], contiguous as all here.</param>
    /// <param name="k">[B, T, K, D]; K divides H.</param>
    /// <param name="v">[B, T, K, D].</param>
    /// <param name="mask">From <see cref="AttentionMask.OfFirstKeys"/>.</param>
    /// <param name="scale">Factor on q·k.</param>
    /// <returns>[B, T, H, D], and [B, H, T], the logarithms of the sums that the softmax divided by; fresh, owned by the caller's scope.</returns>
    public static (Tensor Result, Tensor LogSums) Forward(Tensor q, Tensor k, Tensor v, AttentionMask mask, double scale)
    {
        var shape = new Shape(q, k);
        Tensor result = empty_like(q), logSums = empty(shape.Batch, shape.Heads, shape.Tokens);
        Pointers query = new(q), to = new(result);
        float* logarithms = (float*)TorchOperator.DataOf(logSums);
        ForEachHead(shape, k, v, (head, row, h) =>
            head.Forward(query.Of(row, h), (float)scale, shape.FirstKeys(mask, row), to.Of(row, h), logarithms + (row * shape.Heads + h) * shape.Tokens));
        return (result, logSums);
    }

    /// <param name="gradient">[B, T, H, D], of the result.</param>
    /// <param name="result">From <see cref="Forward"/>.</param>
    /// <param name="logSums">From there.</param>
    /// <param name="q">As given there.</param>
    /// <param name="k">As given there.</param>
    /// <param name="v">As given there.</param>
    /// <param name="mask">As given there.</param>
    /// <param name="scale">As given there.</param>
    /// <returns>The gradients of <paramref name="q"/>, <paramref name="k"/> and <paramref name="v"/>; fresh, owned by the caller's scope.</returns>
    public static (Tensor Query, Tensor Key, Tensor Value) Backward(
        Tensor gradient, Tensor result, Tensor logSums, Tensor q, Tensor k, Tensor v, AttentionMask mask, double scale)
    {
        var shape = new Shape(q, k);
        Tensor dq = empty_like(q), dk = empty_like(q), dv = empty_like(q); // [B, T, H, D]: the latter two by query heads
        Pointers query = new(q), answers = new(result), given = new(gradient), toQuery = new(dq), toKey = new(dk), toValue = new(dv);
        float* logarithms = (float*)TorchOperator.DataOf(logSums);
        ForEachHead(shape, k, v, (head, row, h) => head.Backward(
            query.Of(row, h), (float)scale, shape.FirstKeys(mask, row), answers.Of(row, h), logarithms + (row * shape.Heads + h) * shape.Tokens, given.Of(row, h),
            toQuery.Of(row, h), toKey.Of(row, h), toValue.Of(row, h)));
        return (dq, SumOfGroups(dk), SumOfGroups(dv));

        Tensor SumOfGroups(Tensor byHeads)
        {
            if (shape.Group == 1)
            {
                return byHeads;
            }

            Tensor sum = byHeads.view(shape.Batch, shape.Tokens, shape.KeyHeads, shape.Group, shape.Size).sum(3); // [B, T, K, D]
            byHeads.Dispose();
            return sum;
        }
    }

    /// <summary>Does the work of each row and query head, whose keys and values are taken by then; whichever thread is free takes the next.</summary>
    private static void ForEachHead(Shape shape, Tensor k, Tensor v, Action<HeadAttention, long, long> work)
    {
        Pointers keys = new(k), values = new(v);
        long next = 0, heads = shape.Batch * shape.Heads;
        TorchThreads.For(Math.Min(get_num_threads(), heads), shape.Operations, (_, _) =>
        {
            using var head = new HeadAttention(shape.Tokens, shape.Size);
            long taken = -1;
            for (long i; (i = Interlocked.Increment(ref next) - 1) < heads;)
            {
                (long row, long h) = Math.DivRem(i, shape.Heads);
                long key = i / shape.Group; // H is a multiple of G: the key head's index among those of all rows
                if (key != taken)
                {
                    head.Start(keys.Of(row, h / shape.Group), values.Of(row, h / shape.Group));
                    taken = key;
                }

                work(head, row, h);
            }
        });
    }

    private readonly struct Shape(Tensor q, Tensor k)
    {
        public long Batch { get; } = q.shape[0];

        public int Tokens { get; } = (int)q.shape[1];

        public long Heads { get; } = q.shape[2];

        public int Size { get; } = (int)q.shape[3];

        public long KeyHeads { get; } = k.shape[2];

        public long Group => Heads / KeyHeads;

        /// <summary>Multiplications of the forward pass.</summary>
        public long Operations => Batch * Heads * Tokens * Tokens * Size;

        public ReadOnlySpan<int> FirstKeys(AttentionMask mask, long row) => mask.FirstKeys.AsSpan(mask.FirstKeys!.Length == Tokens ? 0 : (int)row * Tokens, Tokens);
    }

    /// <summary>Where the heads of a contiguous tensor [B, T, heads, D] are.</summary>
    private readonly struct Pointers(Tensor tensor)
    {
        private readonly float* _start = (float*)TorchOperator.DataOf(tensor);
        private readonly long _tokens = tensor.shape[1], _heads = tensor.shape[2], _size = tensor.shape[3];

        public HeadRows Of(long row, long head) => new(_start + (row * _tokens * _heads + head) * _size, _heads * _size);
    }
}
