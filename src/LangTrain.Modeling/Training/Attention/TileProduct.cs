using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LangTrain.Modeling;

/// <summary>
/// Products of small matrices in Float32, a tile of 12 · 16 results at a time in twelve registers of sums (AVX-512), or one of 6 · 16, in as many of half their width (AVX2).
/// </summary>
/// <remarks>Either tile makes a sum in the same order: results do not depend on which it is.</remarks>
internal static unsafe class TileProduct
{
    private static int Rows => Avx512F.IsSupported ? 12 : 6;

    /// <summary>Columns of a tile.</summary>
    public const int Columns = 16;

    /// <summary>Whether this processor has what the tiles need.</summary>
    public static bool IsSupported => Fma.IsSupported;

    /// <summary>c[r, n] = or += Σ a[r, p] · b[p, n], tile by tile.</summary>
    /// <param name="a">a[r, p] is at r · <paramref name="aRow"/> + p · <paramref name="aStep"/>.</param>
    /// <param name="aRow">Elements between its rows.</param>
    /// <param name="aStep">Elements between its columns.</param>
    /// <param name="b">b[p, n] is at p · <paramref name="bStep"/> + n, and the next 16 columns at <paramref name="bPanel"/> from there.</param>
    /// <param name="bStep">Elements between its rows.</param>
    /// <param name="bPanel">Elements between groups of 16 columns.</param>
    /// <param name="c">[rows, columns].</param>
    /// <param name="cRow">Elements between its rows.</param>
    /// <param name="rows">Rows; those up to the next multiple of 12 are read and written too.</param>
    /// <param name="columns">Columns, likewise to a multiple of 16.</param>
    /// <param name="depth">Terms of each sum.</param>
    /// <param name="adds">Whether to add to what is there.</param>
    public static void Multiply(
        float* a, nint aRow, nint aStep, float* b, nint bStep, nint bPanel, float* c, nint cRow, int rows, int columns, int depth, bool adds)
    {
        for (int n = 0; n < columns; n += Columns, b += bPanel)
        {
            for (int r = 0; r < rows; r += Rows)
            {
                if (Avx512F.IsSupported)
                {
                    WideTile(a + r * aRow, aRow, aStep, b, bStep, c + r * cRow + n, cRow, depth, adds);
                }
                else
                {
                    NarrowTile(a + r * aRow, aRow, aStep, b, bStep, c + r * cRow + n, cRow, depth, adds);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WideTile(float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, int depth, bool adds)
    {
        Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default, c4 = default, c5 = default;
        Vector512<float> c6 = default, c7 = default, c8 = default, c9 = default, c10 = default, c11 = default;
        nint row2 = 2 * aRow, row3 = 3 * aRow, row4 = 4 * aRow, row5 = 5 * aRow;
        float* lower = a + 6 * aRow;
        for (int p = 0; p < depth; p++, a += aStep, lower += aStep, b += bStep)
        {
            Vector512<float> x = Vector512.Load(b);
            c0 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a), x, c0);
            c1 = Avx512F.FusedMultiplyAdd(Vector512.Create(a[aRow]), x, c1);
            c2 = Avx512F.FusedMultiplyAdd(Vector512.Create(a[row2]), x, c2);
            c3 = Avx512F.FusedMultiplyAdd(Vector512.Create(a[row3]), x, c3);
            c4 = Avx512F.FusedMultiplyAdd(Vector512.Create(a[row4]), x, c4);
            c5 = Avx512F.FusedMultiplyAdd(Vector512.Create(a[row5]), x, c5);
            c6 = Avx512F.FusedMultiplyAdd(Vector512.Create(*lower), x, c6);
            c7 = Avx512F.FusedMultiplyAdd(Vector512.Create(lower[aRow]), x, c7);
            c8 = Avx512F.FusedMultiplyAdd(Vector512.Create(lower[row2]), x, c8);
            c9 = Avx512F.FusedMultiplyAdd(Vector512.Create(lower[row3]), x, c9);
            c10 = Avx512F.FusedMultiplyAdd(Vector512.Create(lower[row4]), x, c10);
            c11 = Avx512F.FusedMultiplyAdd(Vector512.Create(lower[row5]), x, c11);
        }

        Store(c, c0, adds);
        Store(c + cRow, c1, adds);
        Store(c + 2 * cRow, c2, adds);
        Store(c + 3 * cRow, c3, adds);
        Store(c + 4 * cRow, c4, adds);
        Store(c + 5 * cRow, c5, adds);
        Store(c + 6 * cRow, c6, adds);
        Store(c + 7 * cRow, c7, adds);
        Store(c + 8 * cRow, c8, adds);
        Store(c + 9 * cRow, c9, adds);
        Store(c + 10 * cRow, c10, adds);
        Store(c + 11 * cRow, c11, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void NarrowTile(float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, int depth, bool adds)
    {
        Vector256<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        Vector256<float> c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        nint row2 = 2 * aRow, row3 = 3 * aRow, row4 = 4 * aRow, row5 = 5 * aRow;
        for (int p = 0; p < depth; p++, a += aStep, b += bStep)
        {
            Vector256<float> b0 = Vector256.Load(b), b1 = Vector256.Load(b + 8);
            Vector256<float> x = Vector256.Create(*a);
            c00 = Fma.MultiplyAdd(x, b0, c00);
            c01 = Fma.MultiplyAdd(x, b1, c01);
            x = Vector256.Create(a[aRow]);
            c10 = Fma.MultiplyAdd(x, b0, c10);
            c11 = Fma.MultiplyAdd(x, b1, c11);
            x = Vector256.Create(a[row2]);
            c20 = Fma.MultiplyAdd(x, b0, c20);
            c21 = Fma.MultiplyAdd(x, b1, c21);
            x = Vector256.Create(a[row3]);
            c30 = Fma.MultiplyAdd(x, b0, c30);
            c31 = Fma.MultiplyAdd(x, b1, c31);
            x = Vector256.Create(a[row4]);
            c40 = Fma.MultiplyAdd(x, b0, c40);
            c41 = Fma.MultiplyAdd(x, b1, c41);
            x = Vector256.Create(a[row5]);
            c50 = Fma.MultiplyAdd(x, b0, c50);
            c51 = Fma.MultiplyAdd(x, b1, c51);
        }

        Store(c, c00, c01, adds);
        Store(c + cRow, c10, c11, adds);
        Store(c + 2 * cRow, c20, c21, adds);
        Store(c + 3 * cRow, c30, c31, adds);
        Store(c + 4 * cRow, c40, c41, adds);
        Store(c + 5 * cRow, c50, c51, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector512<float> sums, bool adds) => (adds ? sums + Vector512.Load(c) : sums).Store(c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector256<float> left, Vector256<float> right, bool adds)
    {
        if (adds)
        {
            left += Vector256.Load(c);
            right += Vector256.Load(c + 8);
        }

        left.Store(c);
        right.Store(c + 8);
    }
}
