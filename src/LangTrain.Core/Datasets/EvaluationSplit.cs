namespace LangTrain.Core.Datasets;

/// <summary>Chooses, without knowing how many rows will come, which of them are kept for evaluation.</summary>
/// <remarks>
/// Rows are counted in blocks of 1/share; of each block one row is chosen by a hash of seed and block. So the share is met to within one row
/// at any length, the choice is random inside a block, and the same seed gives the same choice.
/// </remarks>
internal sealed class EvaluationSplit(double share, long seed)
{
    private long _row = -1, _block = -1, _chosen;

    /// <summary>Whether the next row is for evaluation.</summary>
    public bool Next()
    {
        if (share <= 0)
        {
            return false;
        }

        _row++;
        var block = (long)Math.Floor(_row * share);
        if (block != _block)
        {
            _block = block;
            var size = (long)Math.Max(1, Math.Ceiling((block + 1) / share) - _row);
            _chosen = _row + (long)(Mix((ulong)seed ^ Mix((ulong)block)) % (ulong)size);
        }

        return _row == _chosen;
    }

    // SplitMix64's finalizer.
    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
