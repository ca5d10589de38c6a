using System.Numerics;
using System.Runtime.InteropServices;

namespace LangTrain.Inference.Sampling;

/// <summary>Finds the largest values of a row without sorting it. Order everywhere: larger value first, then lower id.</summary>
internal static class TopTokens
{
    /// <summary>The ids of the <paramref name="count"/> largest values, best first.</summary>
    /// <param name="values">One value a token.</param>
    /// <param name="count">How many; at most the length of <paramref name="values"/>.</param>
    /// <param name="keys">Scratch for at least <paramref name="count"/> keys; afterwards its first <paramref name="count"/> are the answer, best first.</param>
    public static void Largest(ReadOnlySpan<float> values, int count, Span<ulong> keys)
    {
        // A bounded heap with the worst kept key at its root; whole vectors below the root's value are skipped.
        var heap = keys[..count];
        for (var i = 0; i < count; i++)
            heap[i] = ~KeyOf(values[i], i);
        Heapify(heap);
        var bound = new Vector<float>(ValueOf(~heap[0]));
        var at = count;
        while (at < values.Length)
        {
            if (at + Vector<float>.Count <= values.Length && !Vector.GreaterThanAny(new Vector<float>(values[at..]), bound))
            {
                at += Vector<float>.Count;
                continue;
            }
            var end = Math.Min(at + Vector<float>.Count, values.Length);
            for (; at < end; at++)
            {
                var key = ~KeyOf(values[at], at);
                if (key >= heap[0])
                    continue;
                heap[0] = key;
                SiftDown(heap, 0);
                bound = new Vector<float>(ValueOf(~heap[0]));
            }
        }
        heap.Sort();
        for (var i = 0; i < count; i++)
            heap[i] = ~heap[i];
    }

    /// <summary>Collects the keys of all values of at least <paramref name="bound"/> as a heap whose best is popped by <see cref="Pop"/>.</summary>
    public static Span<ulong> Gather(ReadOnlySpan<float> values, float bound, Span<ulong> keys)
    {
        var count = 0;
        var lanes = new Vector<float>(bound);
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        for (var v = 0; v < vectors.Length; v++)
        {
            if (!Vector.GreaterThanOrEqualAny(vectors[v], lanes))
                continue;
            for (var i = v * Vector<float>.Count; i < (v + 1) * Vector<float>.Count; i++)
            {
                if (values[i] >= bound)
                    keys[count++] = KeyOf(values[i], i);
            }
        }
        for (var i = vectors.Length * Vector<float>.Count; i < values.Length; i++)
        {
            if (values[i] >= bound)
                keys[count++] = KeyOf(values[i], i);
        }
        var heap = keys[..count];
        Heapify(heap);
        return heap;
    }

    /// <summary>Takes the best key off the heap, which is one shorter afterwards.</summary>
    public static ulong Pop(ref Span<ulong> heap)
    {
        var best = heap[0];
        heap[0] = heap[^1];
        heap = heap[..^1];
        if (heap.Length > 1)
            SiftDown(heap, 0);
        return best;
    }

    /// <summary>The token id of a key.</summary>
    public static int IdOf(ulong key) => (int)~(uint)key;

    /// <summary>The value of a key.</summary>
    public static float ValueOf(ulong key)
    {
        var bits = (uint)(key >> 32);
        return BitConverter.UInt32BitsToSingle((bits & 0x80000000) != 0 ? bits & 0x7FFFFFFF : ~bits);
    }

    // Orders as an unsigned integer: the float's bits made monotone above, the complement of the id below.
    private static ulong KeyOf(float value, int id)
    {
        var bits = BitConverter.SingleToUInt32Bits(value + 0f); // -0 and 0 tie.
        bits = (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
        return ((ulong)bits << 32) | ~(uint)id;
    }

    private static void Heapify(Span<ulong> heap)
    {
        for (var i = heap.Length / 2 - 1; i >= 0; i--)
            SiftDown(heap, i);
    }

    private static void SiftDown(Span<ulong> heap, int at)
    {
        var item = heap[at];
        while (true)
        {
            var child = 2 * at + 1;
            if (child >= heap.Length)
                break;
            if (child + 1 < heap.Length && heap[child + 1] > heap[child])
                child++;
            if (heap[child] <= item)
                break;
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = item;
    }
}
