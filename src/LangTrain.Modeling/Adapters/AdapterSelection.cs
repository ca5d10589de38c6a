using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Which adapter each row of a batch uses. In a mixed batch the base is computed once for all rows.</summary>
/// <remarks>Immutable; does not own the adapters.</remarks>
public sealed class AdapterSelection
{
    private readonly LoraAdapter? _all;
    private readonly IReadOnlyList<LoraAdapter?>? _rows;

    private AdapterSelection(LoraAdapter? all, IReadOnlyList<LoraAdapter?>? rows)
    {
        _all = all;
        _rows = rows;
    }

    /// <summary>The base model alone.</summary>
    public static AdapterSelection None { get; } = new(null, null);

    /// <summary>One adapter for all rows.</summary>
    /// <param name="adapter">The adapter.</param>
    public static AdapterSelection All(LoraAdapter adapter) => new(adapter, null);

    /// <summary>An adapter, or none, for each row.</summary>
    /// <param name="rows">As many as the batch has rows.</param>
    public static AdapterSelection PerRow(IReadOnlyList<LoraAdapter?> rows) => new(null, rows);

    /// <summary>The adapter of all rows, if there is one and rows were not told apart.</summary>
    internal LoraAdapter? Single => _all;

    /// <summary>Rows were told apart.</summary>
    internal bool IsMixed => _rows is not null;

    /// <summary>The selection for one row of the batch as a batch of its own.</summary>
    internal AdapterSelection OfRow(int row) => _rows is null ? this : _rows[row] is { } adapter ? All(adapter) : None;

    /// <summary>The distinct adapters with their rows ([n] int64; null is every row).</summary>
    /// <exception cref="ArgumentException">The selection has not as many rows as the batch.</exception>
    internal IReadOnlyList<(LoraAdapter Adapter, Tensor? Rows)> Group(int batch, Device device)
    {
        if (_all is not null)
        {
            return [(_all, null)];
        }

        if (_rows is null)
        {
            return [];
        }

        if (_rows.Count != batch)
        {
            throw new ArgumentException($"Adapters were selected for {_rows.Count} rows, the batch has {batch}.");
        }

        var groups = Enumerable.Range(0, batch).Where(row => _rows[row] is not null).GroupBy(row => _rows[row]!).ToList();
        return groups.Count == 1 && groups[0].Count() == batch
            ? [(groups[0].Key, null)]
            : [.. groups.Select(group => (group.Key, (Tensor?)tensor(group.Select(row => (long)row).ToArray(), device: device)))];
    }
}
