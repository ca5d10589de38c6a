using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Where the tokens of one pass go in the cache; worked out once on the host, used by every layer.</summary>
internal sealed class CachePlan
{
    private CachePlan(KeyValueCache cache, IReadOnlyList<int> rows, IReadOnlyList<int> counts)
    {
        Cache = cache;
        Rows = rows;
        Counts = counts;
    }

    public KeyValueCache Cache { get; }

    /// <summary>Cache row of each batch row.</summary>
    public IReadOnlyList<int> Rows { get; }

    /// <summary>Real new tokens of each batch row.</summary>
    public IReadOnlyList<int> Counts { get; }

    /// <summary>Batch rows are ascending neighbours in the cache: views, no copies.</summary>
    public bool AreNeighbours { get; private init; }

    /// <summary>The cached length where all rows are neighbours, equally long and without padding; else null.</summary>
    public int? CommonLength { get; private init; }

    /// <summary>S: cached and new tokens of the longest row.</summary>
    public int TotalLength { get; private init; }

    /// <summary>[real tokens] int64, flat target of each in [rows · capacity]; null with a common length.</summary>
    public Tensor? Slots { get; private init; }

    /// <summary>[real tokens] int64, flat source of each in [B · T]; null where there is no padding.</summary>
    public Tensor? RealTokens { get; private init; }

    /// <summary>[B] int64; null where the rows are neighbours.</summary>
    public Tensor? RowIndex { get; private init; }

    public int Length(int b) => Cache.Length(Rows[b]);

    /// <exception cref="ArgumentException">Rows or counts do not fit the batch or the cache.</exception>
    public static CachePlan Create(ForwardPass pass, int batch, int tokens, Device device)
    {
        KeyValueCache cache = pass.Cache!;
        int[] rows = pass.CacheRows is { } given ? [.. given] : [.. Enumerable.Range(0, batch)];
        int[] counts = pass.TokenCounts is { } some ? [.. some] : [.. Enumerable.Repeat(tokens, batch)];
        if (rows.Length != batch || counts.Length != batch || rows.Distinct().Count() != batch || rows.Any(row => row < 0 || row >= cache.Rows))
        {
            throw new ArgumentException($"A batch of {batch} needs {batch} different cache rows below {cache.Rows} and as many token counts.", nameof(pass));
        }

        int longest = 0;
        for (int b = 0; b < batch; b++)
        {
            int total = cache.Length(rows[b]) + counts[b];
            if (counts[b] < 0 || counts[b] > tokens || total > cache.Capacity)
            {
                throw new ArgumentException($"Cache row {rows[b]} holds {cache.Length(rows[b])} of {cache.Capacity} tokens and cannot take {counts[b]} more of {tokens}.", nameof(pass));
            }

            longest = Math.Max(longest, total);
        }

        bool padded = counts.Any(count => count != tokens);
        bool neighbours = Enumerable.Range(1, batch - 1).All(b => rows[b] == rows[0] + b);
        bool common = neighbours && !padded && rows.All(row => cache.Length(row) == cache.Length(rows[0]));
        List<long> slots = [], sources = [];
        for (int b = 0; b < batch && !common; b++)
        {
            for (int t = 0; t < counts[b]; t++)
            {
                slots.Add((long)rows[b] * cache.Capacity + cache.Length(rows[b]) + t);
                sources.Add((long)b * tokens + t);
            }
        }

        return new CachePlan(cache, rows, counts)
        {
            AreNeighbours = neighbours,
            CommonLength = common ? cache.Length(rows[0]) : null,
            TotalLength = longest,
            Slots = common ? null : tensor(slots.ToArray(), device: device),
            RealTokens = padded ? tensor(sources.ToArray(), device: device) : null,
            RowIndex = neighbours ? null : tensor(rows.Select(row => (long)row).ToArray(), device: device),
        };
    }
}
