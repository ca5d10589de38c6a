namespace LangTrain.Training.Batches;

/// <summary>Decides which examples meet in which row, micro-batch and optimizer step of an epoch.</summary>
/// <remarks>
/// A pure function of the examples' lengths, the seed and the epoch: a resumed run plans the epoch again and skips what it
/// has done. Without packing, a row is one example, and examples of similar length meet, because a micro-batch is padded to
/// its longest row. With packing, a row holds as many examples as fit. Which examples share an optimizer step depends on
/// batch size times accumulation only, so accumulating N micro-batches equals one batch of N times the size.
/// </remarks>
internal sealed class BatchPlanner
{
    // So many steps' worth of examples are sorted by length together: enough to pair equals, few enough to stay shuffled.
    private const int StepsPerLengthWindow = 16;
    private const int MaxOpenRows = 128;
    private readonly IReadOnlyList<int> _lengths;
    private readonly int _rowsPerMicroBatch;
    private readonly int _microBatchesPerStep;
    private readonly int? _packedRowLength;
    private readonly long _seed;
    private readonly bool _isOfPairs;

    /// <param name="lengths">Tokens of every example, each at most the packed row's length.</param>
    /// <param name="rowsPerMicroBatch">Rows that pass through the model at once.</param>
    /// <param name="microBatchesPerStep">Micro-batches whose gradients are added up before an update.</param>
    /// <param name="packedRowLength">Tokens of a packed row, or null for no packing.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="isOfPairs">Lengths are those of pairs: pair n stands for two rows, of the examples 2n and 2n + 1, which stay side by side.</param>
    public BatchPlanner(IReadOnlyList<int> lengths, int rowsPerMicroBatch, int microBatchesPerStep, int? packedRowLength, long seed, bool isOfPairs = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rowsPerMicroBatch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microBatchesPerStep);
        if (lengths.Count == 0)
        {
            throw new ArgumentException("There is no example to train on.", nameof(lengths));
        }

        _lengths = lengths;
        _rowsPerMicroBatch = rowsPerMicroBatch;
        _microBatchesPerStep = microBatchesPerStep;
        _packedRowLength = packedRowLength;
        _seed = seed;
        _isOfPairs = isOfPairs;
    }

    /// <summary>The steps of one epoch; each example is in exactly one row.</summary>
    public IReadOnlyList<StepPlan> PlanEpoch(int epoch)
    {
        var random = new SeededRandom((ulong)SeededRandom.Mix(_seed, RandomPurpose.DataOrder, epoch));
        var order = random.Permutation(_lengths.Count);
        var rowsPerStep = _rowsPerMicroBatch * _microBatchesPerStep;
        var rows = _packedRowLength is { } capacity
            ? Pack(order, capacity)
            : ByLength(order, rowsPerStep);
        if (_packedRowLength is not null)
        {
            random.Shuffle(rows);
        }

        var steps = rows.Chunk(rowsPerStep).Select(stepRows => new StepPlan(stepRows.Chunk(_rowsPerMicroBatch).Select(Examples).ToArray())).ToArray();
        random.Shuffle(steps);
        return steps;
    }

    /// <summary>Whether there is such a step: passes over the data made, and steps made in the one after them.</summary>
    public bool IsPlace(int epoch, int stepInEpoch) => epoch >= 0 && stepInEpoch >= 0 && stepInEpoch < PlanEpoch(epoch).Count;

    /// <summary>Steps of all epochs; packed epochs can differ by a step, because another order packs otherwise.</summary>
    /// <param name="epochs">How many epochs.</param>
    /// <param name="limit">The number at which counting ends.</param>
    public int CountSteps(int epochs, int limit = int.MaxValue)
    {
        var rowsPerStep = (long)_rowsPerMicroBatch * _microBatchesPerStep;
        if (_packedRowLength is null)
        {
            return (int)Math.Min(epochs * ((_lengths.Count + rowsPerStep - 1) / rowsPerStep), limit);
        }

        var steps = 0L;
        for (var epoch = 0; epoch < epochs && steps < limit; epoch++)
        {
            steps += PlanEpoch(epoch).Count;
        }

        return (int)Math.Min(steps, limit);
    }

    private int[][] Examples(int[][] rows) => _isOfPairs ? [.. rows.SelectMany(row => new[] { new[] { 2 * row[0] }, [2 * row[0] + 1] })] : rows;

    private List<int[]> ByLength(int[] order, int rowsPerStep)
    {
        var rows = new List<int[]>(order.Length);
        foreach (var window in order.Chunk(rowsPerStep * StepsPerLengthWindow))
        {
            // OrderBy is stable, so equal lengths keep their shuffled order.
            rows.AddRange(window.OrderBy(i => _lengths[i]).Select(i => new[] { i }));
        }

        return rows;
    }

    private List<int[]> Pack(int[] order, int capacity)
    {
        var closed = new List<int[]>();
        var open = new List<(List<int> Row, int Free)>();
        foreach (var index in order)
        {
            var length = _lengths[index];
            var fit = open.FindIndex(r => r.Free >= length);
            if (fit >= 0)
            {
                open[fit].Row.Add(index);
                open[fit] = (open[fit].Row, open[fit].Free - length);
                continue;
            }

            if (open.Count == MaxOpenRows)
            {
                closed.Add(open[0].Row.ToArray());
                open.RemoveAt(0);
            }

            open.Add(([index], capacity - length));
        }

        closed.AddRange(open.Select(r => r.Row.ToArray()));
        return closed;
    }
}

/// <summary>One optimizer step: its micro-batches, each with its rows, each with the indexes of its examples.</summary>
internal sealed record StepPlan(int[][][] MicroBatches);
