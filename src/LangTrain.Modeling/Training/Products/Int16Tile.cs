using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LangTrain.Modeling;

/// <summary>Sums of products of 16-bit integers, 6 · 16 of them at a time: twelve registers of sums, two of columns, one of a row's pair in all lanes (AVX2).</summary>
internal static unsafe class Int16Tile
{
    /// <summary>Rows of a tile.</summary>
    public const int Rows = 6;

    /// <summary>Columns of a tile.</summary>
    public const int Columns = 16;

    /// <summary>c[r, n] = or += Σ row r · column n. The sum of a block is exact, and only that is multiplied by its scales.</summary>
    /// <param name="rows">6 rows from <see cref="Int16Packing.PackRows"/>.</param>
    /// <param name="columns">16 columns from <see cref="Int16Packing.PackColumns"/> or <see cref="Int16Packing.PackTransposed"/>.</param>
    /// <param name="terms">Terms of each sum.</param>
    /// <param name="c">[6, 16], Float32.</param>
    /// <param name="cRow">Floats between its rows.</param>
    /// <param name="adds">Whether to add to what is there.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(int* rows, int* columns, int terms, float* c, nint cRow, bool adds)
    {
        for (; terms > 0; terms -= Int16Packing.Block, adds = true)
        {
            Vector256<int> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
            Vector256<int> c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
            float* rowScales = (float*)rows, columnScales = (float*)columns;
            rows += Rows * Int16Packing.ScaleWords;
            columns += Columns * Int16Packing.ScaleWords;
            for (int* end = columns + (nint)Int16Packing.Pairs(Math.Min(Int16Packing.Block, terms)) * Columns; columns < end; rows += Rows, columns += Columns)
            {
                Vector256<short> b0 = Vector256.Load((short*)columns), b1 = Vector256.Load((short*)(columns + 8));
                Vector256<short> x = Vector256.Create(rows[0]).AsInt16();
                c00 += Avx2.MultiplyAddAdjacent(x, b0);
                c01 += Avx2.MultiplyAddAdjacent(x, b1);
                x = Vector256.Create(rows[1]).AsInt16();
                c10 += Avx2.MultiplyAddAdjacent(x, b0);
                c11 += Avx2.MultiplyAddAdjacent(x, b1);
                x = Vector256.Create(rows[2]).AsInt16();
                c20 += Avx2.MultiplyAddAdjacent(x, b0);
                c21 += Avx2.MultiplyAddAdjacent(x, b1);
                x = Vector256.Create(rows[3]).AsInt16();
                c30 += Avx2.MultiplyAddAdjacent(x, b0);
                c31 += Avx2.MultiplyAddAdjacent(x, b1);
                x = Vector256.Create(rows[4]).AsInt16();
                c40 += Avx2.MultiplyAddAdjacent(x, b0);
                c41 += Avx2.MultiplyAddAdjacent(x, b1);
                x = Vector256.Create(rows[5]).AsInt16();
                c50 += Avx2.MultiplyAddAdjacent(x, b0);
                c51 += Avx2.MultiplyAddAdjacent(x, b1);
            }

            Vector256<float> left = Vector256.Load(columnScales), right = Vector256.Load(columnScales + 8);
            Store(c, c00, c01, rowScales[0], left, right, adds);
            Store(c + cRow, c10, c11, rowScales[1], left, right, adds);
            Store(c + 2 * cRow, c20, c21, rowScales[2], left, right, adds);
            Store(c + 3 * cRow, c30, c31, rowScales[3], left, right, adds);
            Store(c + 4 * cRow, c40, c41, rowScales[4], left, right, adds);
            Store(c + 5 * cRow, c50, c51, rowScales[5], left, right, adds);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector256<int> left, Vector256<int> right, float rowScale, Vector256<float> leftScales, Vector256<float> rightScales, bool adds)
    {
        Vector256<float> scale = Vector256.Create(rowScale);
        Vector256<float> l = Vector256.ConvertToSingle(left) * (scale * leftScales), r = Vector256.ConvertToSingle(right) * (scale * rightScales);
        if (adds)
        {
            l += Vector256.Load(c);
            r += Vector256.Load(c + 8);
        }

        l.Store(c);
        r.Store(c + 8);
    }
}
