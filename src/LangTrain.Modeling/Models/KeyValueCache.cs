using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// Keys and values of past tokens, preallocated for a number of rows. Each row has its own length, so rows join, advance, leave and are copied
/// independently (continuous batching). A forward pass with <see cref="ForwardPass.Cache"/> appends to it.
/// </summary>
/// <remarks>Not thread-safe: one thread runs passes on it. Dispose it with its model.</remarks>
public sealed class KeyValueCache : IDisposable
{
    // [rows, capacity, K, D] a layer: tokens outermost, so that appending one token of many rows is a single copy by flat index.
    private readonly Tensor[] _keys, _values;
    private readonly int[] _lengths;

    /// <summary>Allocates the cache; bytes = 2 · L · rows · capacity · K · D · element size.</summary>
    /// <param name="model">Gives shapes, dtype and device.</param>
    /// <param name="rows">How many sequences at most.</param>
    /// <param name="capacity">Tokens a row at most; not above the model's context length.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> or <paramref name="capacity"/> is not positive, or capacity is above the context length.</exception>
    public KeyValueCache(DecoderModel model, int rows, int capacity)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, model.Config.ContextLength);
        Rows = rows;
        Capacity = capacity;
        _lengths = new int[rows];
        ModelConfig config = model.Config;

        // Zeros, not empty: a masked position has weight 0, and 0 times the NaN of fresh memory is NaN.
        Tensor Allocate() => zeros([rows, capacity, config.KeyValueHeads, config.HeadSize], model.Dtype, model.Device).DetachFromDisposeScope();
        _keys = [.. Enumerable.Range(0, config.LayerCount).Select(_ => Allocate())];
        _values = [.. Enumerable.Range(0, config.LayerCount).Select(_ => Allocate())];
        Tokens = config.Rope is { Scaling: RopeScaling.LongRope } ? new CachedTokens(rows) : null;
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Tokens that a row can hold.</summary>
    public int Capacity { get; }

    /// <summary>What the rows' tokens are, for models that need it.</summary>
    internal CachedTokens? Tokens { get; }

    /// <summary>Bytes held by keys and values together.</summary>
    public long ByteCount => _keys.Concat(_values).Sum(tensor => tensor.numel() * tensor.element_size());

    /// <summary>Tokens now in the row.</summary>
    /// <param name="row">Row, from 0.</param>
    public int Length(int row) => _lengths[row];

    /// <summary>Keeps only the first tokens of a row; 0 empties it for a new sequence.</summary>
    /// <param name="row">Row, from 0.</param>
    /// <param name="length">Tokens to keep, at most <see cref="Length"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative or above the row's length.</exception>
    public void Truncate(int row, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _lengths[row]);
        _lengths[row] = length;
        Tokens?.Truncate(row, length);
    }

    /// <summary>Makes one row begin like another, for a shared prefix or for moving a row so that the rows in use are neighbours.</summary>
    /// <param name="from">Row to copy.</param>
    /// <param name="to">Row to replace.</param>
    /// <param name="length">Tokens to copy; null is all of <paramref name="from"/>'s.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative or above the length of <paramref name="from"/>.</exception>
    public void Copy(int from, int to, int? length = null)
    {
        int count = length ?? _lengths[from];
        ArgumentOutOfRangeException.ThrowIfNegative(count, nameof(length));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _lengths[from], nameof(length));
        if (from != to && count > 0)
        {
            using var scope = NewDisposeScope();
            using var frozen = no_grad();
            foreach (Tensor tensor in _keys.Concat(_values))
            {
                tensor.select(0, to).narrow(0, 0, count).copy_(tensor.select(0, from).narrow(0, 0, count));
            }
        }

        _lengths[to] = count;
        Tokens?.Copy(from, to, count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in _keys.Concat(_values))
        {
            tensor.Dispose();
        }
    }

    /// <summary>Stores the new tokens' keys and values and gives back all that the rows now hold.</summary>
    /// <returns>[B, S, K, D] each, S the longest row; views where the rows are neighbours.</returns>
    internal (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values, CachePlan plan) =>
        (Append(_keys[layer], keys, plan), Append(_values[layer], values, plan));

    internal void Advance(CachePlan plan)
    {
        for (int b = 0; b < plan.Rows.Count; b++)
        {
            _lengths[plan.Rows[b]] += plan.Counts[b];
        }
    }

    private static Tensor Append(Tensor store, Tensor fresh, CachePlan plan)
    {
        if (plan.CommonLength is { } length)
        {
            store.narrow(0, plan.Rows[0], plan.Rows.Count).narrow(1, length, fresh.shape[1]).copy_(fresh);
        }
        else
        {
            long width = fresh.shape[2] * fresh.shape[3];
            Tensor tokens = fresh.reshape(-1, width); // [B·T, K·D]
            store.view(-1, width).index_copy_(0, plan.Slots!, plan.RealTokens is null ? tokens : tokens.index_select(0, plan.RealTokens));
        }

        Tensor rows = plan.AreNeighbours ? store.narrow(0, plan.Rows[0], plan.Rows.Count) : store.index_select(0, plan.RowIndex!);
        return rows.narrow(1, 0, plan.TotalLength);
    }
}
