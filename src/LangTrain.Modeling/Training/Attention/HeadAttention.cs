using System.Runtime.InteropServices;

namespace LangTrain.Modeling;

/// <summary>
/// softmax(scale · q·kᵀ)·v of a key head and one after the other of the query heads that share it, and its gradient, in Float32: block by block of queries,
/// over the keys that a block sees and no others. Nothing of T · T is kept; the backward pass works the weights out again from their sums (arXiv:2307.08691).
/// </summary>
/// <remarks>One thread. Letters: T tokens, D head size, W keys that a block of queries sees. Buffers have room for what <see cref="TileProduct"/> reads and writes beside.</remarks>
internal sealed unsafe class HeadAttention : IDisposable
{
    private const int Block = 48; // Queries; a multiple of a tile's rows and columns.

    private readonly int _tokens, _size;
    private readonly float* _memory;
    private readonly float* _keyColumns, _valueColumns; // [T / 16, D, 16]: what a tile of scores reads
    private readonly float* _keys, _values, _keyGradient, _valueGradient; // [T, D]
    private readonly float* _query, _gradient, _result; // [Block, D]
    private readonly float* _scores, _scoreGradient; // [Block, W]
    private bool _hasValueColumns;

    public HeadAttention(int tokens, int size)
    {
        (_tokens, _size) = (tokens, size);
        long rows = RoundUp(tokens) + Block, perToken = rows * size, perBlock = (long)Block * size, scores = Block * rows;
        _memory = (float*)NativeMemory.AlignedAlloc((nuint)(6 * perToken + 3 * perBlock + 2 * scores) * sizeof(float), 64);
        float* next = _memory;
        float* Take(long count)
        {
            float* start = next;
            next += count;
            return start;
        }

        _keyColumns = Take(perToken);
        _valueColumns = Take(perToken);
        _keys = Take(perToken);
        _values = Take(perToken);
        _keyGradient = Take(perToken);
        _valueGradient = Take(perToken);
        _query = Take(perBlock);
        _gradient = Take(perBlock);
        _result = Take(perBlock);
        _scores = Take(scores);
        _scoreGradient = Take(scores);
    }

    /// <summary>Takes the keys and values for what follows.</summary>
    public void Start(HeadRows keys, HeadRows values)
    {
        Copy(keys, 0, _tokens, 1, _keys, RoundUp(_tokens));
        Copy(values, 0, _tokens, 1, _values, RoundUp(_tokens));
        ToColumns(_keys, _keyColumns);
        _hasValueColumns = false;
    }

    /// <summary>Answers one query head.</summary>
    /// <param name="query">[T, D].</param>
    /// <param name="scale">Factor on q·k.</param>
    /// <param name="firstKeys">[T], the first key that each token attends to, not falling; the last is itself.</param>
    /// <param name="result">[T, D], written.</param>
    /// <param name="sums">[T], written: logarithms of the sums that the softmax divided by.</param>
    public void Forward(HeadRows query, float scale, ReadOnlySpan<int> firstKeys, HeadRows result, float* sums)
    {
        for (int start = 0; start < _tokens; start += Block)
        {
            int rows = Math.Min(Block, _tokens - start), first = firstKeys[start] / TileProduct.Columns * TileProduct.Columns;
            int width = RoundUp(start + rows - first);
            Score(query, scale, start, rows, first, width);
            for (int r = 0; r < rows; r++)
            {
                sums[start + r] = RowMath.Softmax(_scores + (long)r * width, width, firstKeys[start + r] - first, start + r - first);
            }

            TileProduct.Multiply(_scores, width, 1, _values + (long)first * _size, _size, TileProduct.Columns, _result, _size, rows, _size, start + rows - first, adds: false);
            for (int r = 0; r < rows; r++)
            {
                RowMath.Scale(_result + (long)r * _size, 1, result.Row(start + r), _size);
            }
        }
    }

    /// <summary>The gradient of one query head: with P the weights and O the result, dS = P · (dO·vᵀ - sum(dO · O)), dq = s · dS·k, dk = s · dSᵀ·q, dv = Pᵀ·dO.</summary>
    /// <param name="query">As given to <see cref="Forward"/>.</param>
    /// <param name="scale">Factor on q·k.</param>
    /// <param name="firstKeys">As given there.</param>
    /// <param name="result">What it wrote.</param>
    /// <param name="sums">What it wrote.</param>
    /// <param name="gradient">[T, D], of the result.</param>
    /// <param name="queryGradient">[T, D], written.</param>
    /// <param name="keyGradient">[T, D], written; what other query heads of the key head give is not in it.</param>
    /// <param name="valueGradient">[T, D], written; likewise.</param>
    public void Backward(
        HeadRows query, float scale, ReadOnlySpan<int> firstKeys, HeadRows result, float* sums, HeadRows gradient, HeadRows queryGradient, HeadRows keyGradient, HeadRows valueGradient)
    {
        StartBackward();
        for (int start = 0; start < _tokens; start += Block)
        {
            int rows = Math.Min(Block, _tokens - start), first = firstKeys[start] / TileProduct.Columns * TileProduct.Columns;
            int seen = start + rows - first, width = RoundUp(seen);
            Score(query, scale, start, rows, first, width);
            Copy(gradient, start, rows, 1, _gradient, Block);
            TileProduct.Multiply(_gradient, _size, 1, _valueColumns + (long)first * _size, TileProduct.Columns, TileProduct.Columns * _size, _scoreGradient, width, rows, width, _size, adds: false);
            for (int r = 0; r < rows; r++)
            {
                float* weights = _scores + (long)r * width;
                RowMath.Weights(weights, width, firstKeys[start + r] - first, start + r - first, sums[start + r]);
                RowMath.ScoreGradient(weights, _scoreGradient + (long)r * width, width, RowMath.Dot(gradient.Row(start + r), result.Row(start + r), _size));
            }

            TileProduct.Multiply(_scoreGradient, width, 1, _keys + (long)first * _size, _size, TileProduct.Columns, _result, _size, rows, _size, seen, adds: false);
            for (int r = 0; r < rows; r++)
            {
                RowMath.Scale(_result + (long)r * _size, scale, queryGradient.Row(start + r), _size);
            }

            TileProduct.Multiply(_scores, 1, width, _gradient, _size, TileProduct.Columns, _valueGradient + (long)first * _size, _size, seen, _size, rows, adds: true);
            TileProduct.Multiply(_scoreGradient, 1, width, _query, _size, TileProduct.Columns, _keyGradient + (long)first * _size, _size, seen, _size, rows, adds: true);
        }

        for (int t = 0; t < _tokens; t++)
        {
            RowMath.Scale(_keyGradient + (long)t * _size, 1, keyGradient.Row(t), _size);
            RowMath.Scale(_valueGradient + (long)t * _size, 1, valueGradient.Row(t), _size);
        }
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    private void StartBackward()
    {
        if (!_hasValueColumns)
        {
            ToColumns(_values, _valueColumns);
            _hasValueColumns = true;
        }

        long count = (RoundUp(_tokens) + Block) * (long)_size;
        new Span<float>(_keyGradient, checked((int)count)).Clear();
        new Span<float>(_valueGradient, (int)count).Clear();
    }

    // A width, too, is a multiple of a tile's rows, for the products that read the scores by columns.
    private static int RoundUp(int count) => (count + Block - 1) / Block * Block;

    private void Score(HeadRows query, float scale, int start, int rows, int first, int width)
    {
        Copy(query, start, rows, scale, _query, Block);
        TileProduct.Multiply(_query, _size, 1, _keyColumns + (long)first * _size, TileProduct.Columns, TileProduct.Columns * _size, _scores, width, rows, width, _size, adds: false);
    }

    // Rows beyond the last are zero: they are multiplied, too.
    private void Copy(HeadRows from, int start, int rows, float scale, float* to, int capacity)
    {
        for (int r = 0; r < rows; r++)
        {
            RowMath.Scale(from.Row(start + r), scale, to + (long)r * _size, _size);
        }

        new Span<float>(to + (long)rows * _size, (capacity - rows) * _size).Clear();
    }

    private void ToColumns(float* rows, float* columns)
    {
        for (int t = 0; t < RoundUp(_tokens); t++)
        {
            float* to = columns + (long)(t / TileProduct.Columns) * TileProduct.Columns * _size + t % TileProduct.Columns;
            float* from = rows + (long)t * _size;
            for (int d = 0; d < _size; d++)
            {
                to[d * TileProduct.Columns] = from[d];
            }
        }
    }
}

/// <summary>The rows of one head in a tensor [B, T, heads, D].</summary>
/// <param name="start">The first token's row.</param>
/// <param name="step">Elements from a token to the next.</param>
internal readonly unsafe struct HeadRows(float* start, long step)
{
    public float* Row(int token) => start + token * step;
}
