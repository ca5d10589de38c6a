using System.Buffers;

namespace LangTrain.Modeling.Tokenizers.BytePair;

/// <summary>Applies merge rules to one piece: always the best-ranked pair, the leftmost of equals.</summary>
internal static class PieceMerger
{
    // Below this a scan for the best pair beats a heap; above it the scan's square would show.
    private const int ScanLimit = 96;

    /// <summary>Merges in place.</summary>
    /// <returns>How many ids are left at the start of <paramref name="ids"/>.</returns>
    public static int Merge(MergeTable merges, Span<int> ids) => ids.Length <= ScanLimit ? MergeByScan(merges, ids) : MergeByHeap(merges, ids);

    private static int MergeByScan(MergeTable merges, Span<int> ids)
    {
        var count = ids.Length;
        if (count < 2) return count;
        Span<int> ranks = stackalloc int[count - 1];
        for (var i = 0; i < count - 1; i++) ranks[i] = merges.Rank(ids[i], ids[i + 1], out _);
        while (count > 1)
        {
            var best = 0;
            for (var i = 1; i < count - 1; i++)
            {
                if (ranks[i] < ranks[best]) best = i;
            }
            if (ranks[best] == MergeTable.None) break;
            merges.Rank(ids[best], ids[best + 1], out ids[best]);
            ids[(best + 2)..count].CopyTo(ids[(best + 1)..]);
            count--;
            if (best + 1 < count) ranks[(best + 1)..count].CopyTo(ranks[best..]);
            if (best < count - 1) ranks[best] = merges.Rank(ids[best], ids[best + 1], out _);
            if (best > 0) ranks[best - 1] = merges.Rank(ids[best - 1], ids[best], out _);
        }
        return count;
    }

    /// <summary>n log n: a linked list of symbols, and a heap of candidate pairs of which outdated ones are dropped when they come up.</summary>
    private static int MergeByHeap(MergeTable merges, Span<int> ids)
    {
        var n = ids.Length;
        var next = ArrayPool<int>.Shared.Rent(n);
        var previous = ArrayPool<int>.Shared.Rent(n);
        try
        {
            var candidates = new PriorityQueue<int, ulong>(n / 2);
            for (var i = 0; i < n; i++)
            {
                next[i] = i + 1 < n ? i + 1 : -1;
                previous[i] = i - 1;
            }
            for (var i = 0; i < n - 1; i++) Offer(candidates, merges, ids, i, i + 1);
            while (candidates.TryDequeue(out var left, out var priority))
            {
                var right = next[left];
                // A symbol that was swallowed has id -1 and is in no rule.
                if (right < 0 || ids[left] < 0 || merges.Rank(ids[left], ids[right], out var merged) != (int)(priority >> 32)) continue;
                ids[left] = merged;
                ids[right] = -1;
                next[left] = next[right];
                if (next[left] >= 0)
                {
                    previous[next[left]] = left;
                    Offer(candidates, merges, ids, left, next[left]);
                }
                if (previous[left] >= 0) Offer(candidates, merges, ids, previous[left], left);
            }
            var count = 0;
            for (var i = 0; i >= 0; i = next[i]) ids[count++] = ids[i];
            return count;
        }
        finally
        {
            ArrayPool<int>.Shared.Return(next);
            ArrayPool<int>.Shared.Return(previous);
        }
    }

    private static void Offer(PriorityQueue<int, ulong> candidates, MergeTable merges, Span<int> ids, int left, int right)
    {
        var rank = merges.Rank(ids[left], ids[right], out _);
        // Rank above, position below: the queue itself promises no order among equals.
        if (rank != MergeTable.None) candidates.Enqueue(left, (ulong)(uint)rank << 32 | (uint)left);
    }
}
