using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// Products with a weight matrix in 16-bit integers, for processors without instructions for bfloat16: an AVX2 instruction multiplies and adds twice as many of them as of Float32,
/// and they keep more of a product than bfloat16 would (see <see cref="Int16Packing"/>).
/// </summary>
/// <remarks>
/// <para>
/// Matrices are cut so that each core's caches hold what it multiplies (after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication"). The left factor is packed
/// by all threads together. The weight's columns go in groups to whichever thread is free, which packs its group for itself; so a thread that a busy machine holds up
/// is waited for no longer than a group takes. Each sum is made in one fixed order: results do not depend on the number of threads.
/// </para>
/// <para>A number that is not finite makes its block of 128 terms, and so its row of the result, wrong or not finite: who trains looks for such losses and gradients.</para>
/// </remarks>
internal static unsafe class Int16Product
{
    private const int TileRows = Int16Tile.Rows, TileColumns = Int16Tile.Columns;

    /// <summary>Below this many rows, columns or terms packing costs more than the product gains.</summary>
    private const int Worth = 64;

    /// <summary>Columns that a thread packs at a time.</summary>
    private const int Group = 4 * TileColumns;

    /// <summary>Rows whose packed values stay in a core's second-level cache while all columns of a group pass over them.</summary>
    private const int NearRows = 16 * TileRows;

    /// <summary>Terms with which 16 packed columns stay in a core's first-level cache while rows pass over them.</summary>
    private const int NearTerms = 4 * Int16Packing.Block;

    /// <summary>Terms of the left factor that are packed at a time: bounds the memory that it takes.</summary>
    private const int MostTerms = 32 * Int16Packing.Block;

    /// <summary>Whether a product is large enough, and of what these are for: Float32 on the CPU.</summary>
    public static bool Fits(Tensor left, Tensor weight) =>
        Avx2.IsSupported && left.dtype == ScalarType.Float32 && weight.dtype == ScalarType.Float32 && left.device.type == TorchSharp.DeviceType.CPU
        && left.shape[0] >= Worth && weight.shape[0] >= Worth && weight.shape[1] >= Worth;

    /// <summary>x · Wᵀ.</summary>
    /// <param name="x">[N, in], Float32 on the CPU, as all here.</param>
    /// <param name="weight">[out, in].</param>
    /// <returns>[N, out]; fresh, owned by the caller's scope.</returns>
    public static Tensor Forward(Tensor x, Tensor weight) => Multiply(x, weight, isTransposed: true);

    /// <summary>dy · W.</summary>
    /// <param name="gradient">[N, out].</param>
    /// <param name="weight">[out, in].</param>
    /// <returns>[N, in]; fresh, owned by the caller's scope.</returns>
    public static Tensor Backward(Tensor gradient, Tensor weight) => Multiply(gradient, weight, isTransposed: false);

    private static Tensor Multiply(Tensor left, Tensor right, bool isTransposed)
    {
        using var scope = NewDisposeScope();
        (left, right) = (left.contiguous(), right.contiguous());
        Tensor result = empty(left.shape[0], right.shape[isTransposed ? 0 : 1]);
        new Job(left, right, isTransposed, result).Run();
        return result.MoveToOuterDisposeScope();
    }

    private sealed class Job(Tensor left, Tensor right, bool isTransposed, Tensor result)
    {
        private readonly float* _left = (float*)TorchOperator.DataOf(left), _right = (float*)TorchOperator.DataOf(right), _result = (float*)TorchOperator.DataOf(result);
        private readonly int _rows = (int)left.shape[0], _depth = (int)left.shape[1], _columns = (int)result.shape[1];
        private readonly nint _rightStep = (nint)right.shape[1];

        private int* _packedRows, _packedColumns; // [tiles of rows, 6 · words of all terms]; [threads, what a thread packs]
        private int _firstTerm, _terms, _nextTile, _nextGroup, _nextThread;

        public void Run()
        {
            int threads = get_num_threads(), tiles = (_rows + TileRows - 1) / TileRows, most = Math.Min(_depth, MostTerms);
            using Tensor memory = empty((long)tiles * TileRows * Int16Packing.Words(most) + threads * PackedColumnWords);
            _packedRows = (int*)TorchOperator.DataOf(memory);
            _packedColumns = _packedRows + (nint)tiles * TileRows * Int16Packing.Words(most);
            for (_firstTerm = 0; _firstTerm < _depth; _firstTerm += MostTerms)
            {
                _terms = Math.Min(MostTerms, _depth - _firstTerm);
                (_nextTile, _nextGroup, _nextThread) = (0, 0, 0);
                TorchThreads.For(threads, (long)_rows * _terms, (_, _) => PackRows(tiles));
                TorchThreads.For(threads, (long)_rows * _terms * _columns, (_, _) => MultiplyGroups());
            }
        }

        // And room for a tile that is not all there.
        private static int PackedColumnWords => Group * Int16Packing.Words(NearTerms) + TileRows * TileColumns;

        private int RowWords => TileRows * Int16Packing.Words(_terms);

        private void PackRows(int tiles)
        {
            const int Together = 8;
            for (int first; (first = Interlocked.Add(ref _nextTile, Together) - Together) < tiles;)
            {
                for (int tile = first; tile < Math.Min(first + Together, tiles); tile++)
                {
                    float* from = _left + (nint)tile * TileRows * _depth + _firstTerm;
                    Int16Packing.PackRows(from, _depth, Math.Min(TileRows, _rows - tile * TileRows), _terms, _packedRows + (nint)tile * RowWords);
                }
            }
        }

        private void MultiplyGroups()
        {
            int* packed = _packedColumns + (nint)(Interlocked.Increment(ref _nextThread) - 1) * PackedColumnWords;
            for (int group; (group = Interlocked.Increment(ref _nextGroup) - 1) * Group < _columns;)
            {
                for (int k = 0; k < _terms; k += NearTerms)
                {
                    MultiplyGroup(group * Group, Math.Min(_columns, (group + 1) * Group), k, Math.Min(NearTerms, _terms - k), packed);
                }
            }
        }

        private void MultiplyGroup(int first, int end, int k, int terms, int* packed)
        {
            int words = TileColumns * Int16Packing.Words(terms);
            for (int n = first; n < end; n += TileColumns)
            {
                int* to = packed + (nint)(n - first) / TileColumns * words;
                int columns = Math.Min(TileColumns, end - n);
                if (isTransposed)
                {
                    Int16Packing.PackTransposed(_right + n * _rightStep + _firstTerm + k, _rightStep, columns, terms, to);
                }
                else
                {
                    Int16Packing.PackColumns(_right + (_firstTerm + k) * _rightStep + n, _rightStep, columns, terms, to);
                }
            }

            bool adds = _firstTerm + k > 0;
            float* spare = (float*)packed + Group * Int16Packing.Words(NearTerms);
            for (int near = 0; near < _rows; near += NearRows)
            {
                int nearEnd = Math.Min(near + NearRows, _rows);
                for (int n = first; n < end; n += TileColumns)
                {
                    int* columns = packed + (nint)(n - first) / TileColumns * words;
                    for (int r = near; r < nearEnd; r += TileRows)
                    {
                        int* rows = _packedRows + (nint)(r / TileRows) * RowWords + TileRows * Int16Packing.Words(k);
                        float* c = _result + (nint)r * _columns + n;
                        if (r + TileRows <= _rows && n + TileColumns <= end)
                        {
                            Int16Tile.Multiply(rows, columns, terms, c, _columns, adds);
                        }
                        else
                        {
                            Int16Tile.Multiply(rows, columns, terms, spare, TileColumns, adds: false);
                            Take(spare, c, Math.Min(TileRows, _rows - r), Math.Min(TileColumns, end - n), adds);
                        }
                    }
                }
            }
        }

        private void Take(float* tile, float* c, int rows, int columns, bool adds)
        {
            for (int r = 0; r < rows; r++, tile += TileColumns, c += _columns)
            {
                for (int n = 0; n < columns; n++)
                {
                    c[n] = adds ? c[n] + tile[n] : tile[n];
                }
            }
        }
    }
}
