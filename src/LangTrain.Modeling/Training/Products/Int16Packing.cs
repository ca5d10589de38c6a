using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LangTrain.Modeling;

/// <summary>Turns rows and columns of Float32 matrices into 16-bit integers, in the order in which <see cref="Int16Tile"/> reads them.</summary>
/// <remarks>
/// Each block of 128 terms of a row or column has its own scale. Rows, which hold activations and gradients, become -8191 to 8191 and columns, which hold weights,
/// -2047 to 2047: the sum of a block's products, at most 128 · 8191 · 2047, fits 32 bits. Packed memory of a block, in words of 32 bits: two for each row
/// (6) or column (16), of which the first 6 or 16 are the scales, then [64, 6 or 16] pairs of neighbouring terms, the first in the lower half.
/// </remarks>
internal static unsafe class Int16Packing
{
    /// <summary>Terms with a common scale.</summary>
    public const int Block = 128;

    /// <summary>Words for each row or column of a block before its pairs; two, so that 16 columns stay aligned and 6 rows have room.</summary>
    public const int ScaleWords = 2;

    private const int Rows = Int16Tile.Rows, Columns = Int16Tile.Columns, LargestOfRow = 8191, LargestOfColumn = 2047;

    /// <summary>A block whose largest is below this is zeros: one over it is no Float32 any more.</summary>
    private const float Smallest = 1e-30f;

    /// <summary>Pairs that some terms of one block make.</summary>
    public static int Pairs(int terms) => (terms + 1) / 2;

    /// <summary>Words that a row or column takes.</summary>
    public static int Words(int terms) => Pairs(terms) + (terms + Block - 1) / Block * ScaleWords;

    /// <summary>Packs 6 rows.</summary>
    /// <param name="from">[rows, terms].</param>
    /// <param name="step">Floats between its rows.</param>
    /// <param name="rows">Those there are, 1 to 6; the rest become zeros.</param>
    /// <param name="terms">Terms.</param>
    /// <param name="to">6 · <see cref="Words"/>.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackRows(float* from, nint step, int rows, int terms, int* to)
    {
        int* pairs = stackalloc int[Block / 2];
        for (int k = 0; k < terms; k += Block, to += Rows * (ScaleWords + Block / 2))
        {
            int count = Math.Min(Block, terms - k);
            for (int r = 0; r < Rows; r++)
            {
                ((float*)to)[r] = r < rows ? Encode(from + r * step + k, count, LargestOfRow, pairs) : 0;
                int* at = to + Rows * ScaleWords + r;
                for (int p = 0; p < Pairs(count); p++, at += Rows)
                {
                    *at = r < rows ? pairs[p] : 0;
                }
            }
        }
    }

    /// <summary>Packs 16 columns of a matrix that lies transposed.</summary>
    /// <param name="from">[columns, terms].</param>
    /// <param name="step">Floats between its rows.</param>
    /// <param name="columns">Those there are, 1 to 16; the rest become zeros.</param>
    /// <param name="terms">Terms.</param>
    /// <param name="to">16 · <see cref="Words"/>.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackTransposed(float* from, nint step, int columns, int terms, int* to)
    {
        const int Width = Block / 2;
        int* pairs = stackalloc int[Columns * Width]; // [16, 64]
        if (columns < Columns)
        {
            new Span<int>(pairs, Columns * Width).Clear();
        }

        for (int k = 0; k < terms; k += Block, to += Columns * (ScaleWords + Width))
        {
            int count = Math.Min(Block, terms - k), p = 0;
            for (int n = 0; n < Columns; n++)
            {
                ((float*)to)[n] = n < columns ? Encode(from + n * step + k, count, LargestOfColumn, pairs + n * Width) : 0;
            }

            int* packed = to + Columns * ScaleWords;
            for (; p + 8 <= Pairs(count); p += 8)
            {
                Transpose((float*)pairs + p, Width, (float*)packed + p * Columns, Columns);
                Transpose((float*)pairs + 8 * Width + p, Width, (float*)packed + p * Columns + 8, Columns);
            }

            for (; p < Pairs(count); p++)
            {
                for (int n = 0; n < Columns; n++)
                {
                    packed[p * Columns + n] = pairs[n * Width + p];
                }
            }
        }
    }

    /// <summary>Packs 16 columns.</summary>
    /// <param name="from">[terms, columns].</param>
    /// <param name="step">Floats between its rows.</param>
    /// <param name="columns">Those there are, 1 to 16; the rest become zeros.</param>
    /// <param name="terms">Terms.</param>
    /// <param name="to">16 · <see cref="Words"/>.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackColumns(float* from, nint step, int columns, int terms, int* to)
    {
        float* whole = stackalloc float[Block * Columns];
        for (int k = 0; k < terms; k += Block, to += Columns * (ScaleWords + Block / 2))
        {
            int count = Math.Min(Block, terms - k);
            float* block = from + k * step;
            nint row = step;
            if (columns < Columns || count % 2 != 0)
            {
                // A copy in which nothing is missing.
                for (int i = 0; i < 2 * Pairs(count) * Columns; i++)
                {
                    (int term, int n) = Math.DivRem(i, Columns);
                    whole[i] = term < count && n < columns ? block[term * step + n] : 0;
                }

                block = whole;
                row = Columns;
            }

            EncodeColumns(block, row, Pairs(count), (float*)to, to + Columns * ScaleWords);
            EncodeColumns(block + 8, row, Pairs(count), (float*)to + 8, to + Columns * ScaleWords + 8);
        }
    }

    /// <summary>A block of terms that lie side by side.</summary>
    /// <returns>What 1 stands for.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Encode(float* from, int count, int largest, int* pairs)
    {
        Vector256<int> most = default;
        int k = 0;
        for (; k + 8 <= count; k += 8)
        {
            most = Vector256.Max(most, FloatBits.Magnitude(Vector256.Load(from + k)));
        }

        float max = FloatBits.Largest(most);
        for (; k < count; k++)
        {
            max = MathF.Max(max, MathF.Abs(from[k]));
        }

        float factor = max < Smallest ? 0 : largest / max;
        Vector256<float> factors = Vector256.Create(factor);
        for (k = 0; k + 16 <= count; k += 16)
        {
            Vector256<int> low = Avx.ConvertToVector256Int32(Vector256.Load(from + k) * factors), high = Avx.ConvertToVector256Int32(Vector256.Load(from + k + 8) * factors);
            Avx2.Permute4x64(Avx2.PackSignedSaturate(low, high).AsInt64(), 0b11_01_10_00).AsInt32().Store(pairs + k / 2);
        }

        for (; k < count; k += 2)
        {
            int low = (int)MathF.Round(from[k] * factor), high = k + 1 < count ? (int)MathF.Round(from[k + 1] * factor) : 0;
            pairs[k / 2] = (low & 0xFFFF) | (high << 16);
        }

        return max / largest;
    }

    // The same of 8 columns that lie beside each other.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void EncodeColumns(float* from, nint step, int pairs, float* scales, int* to)
    {
        Vector256<int> bits = default;
        float* row = from;
        for (int k = 0; k < 2 * pairs; k++, row += step)
        {
            bits = Vector256.Max(bits, FloatBits.Magnitude(Vector256.Load(row)));
        }

        Vector256<float> most = bits.AsSingle();
        (most / LargestOfColumn).Store(scales);
        Vector256<float> factors = Vector256.AndNot(Vector256.Create((float)LargestOfColumn) / most, Vector256.LessThan(most, Vector256.Create(Smallest)));
        for (int p = 0; p < pairs; p++, from += 2 * step, to += Columns)
        {
            Vector256<int> low = Avx.ConvertToVector256Int32(Vector256.Load(from) * factors), high = Avx.ConvertToVector256Int32(Vector256.Load(from + step) * factors);
            Avx2.Blend(low.AsInt16(), (high << 16).AsInt16(), 0b1010_1010).AsInt32().Store(to);
        }
    }

    /// <summary>8 rows of 8 words become 8 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(float* from, nint fromRow, float* to, nint toRow)
    {
        Vector256<float> r0 = Vector256.Load(from), r1 = Vector256.Load(from += fromRow), r2 = Vector256.Load(from += fromRow), r3 = Vector256.Load(from += fromRow);
        Vector256<float> r4 = Vector256.Load(from += fromRow), r5 = Vector256.Load(from += fromRow), r6 = Vector256.Load(from += fromRow), r7 = Vector256.Load(from + fromRow);
        Vector256<float> t0 = Avx.UnpackLow(r0, r1), t1 = Avx.UnpackHigh(r0, r1), t2 = Avx.UnpackLow(r2, r3), t3 = Avx.UnpackHigh(r2, r3);
        Vector256<float> t4 = Avx.UnpackLow(r4, r5), t5 = Avx.UnpackHigh(r4, r5), t6 = Avx.UnpackLow(r6, r7), t7 = Avx.UnpackHigh(r6, r7);
        r0 = Avx.Shuffle(t0, t2, 0x44);
        r1 = Avx.Shuffle(t0, t2, 0xEE);
        r2 = Avx.Shuffle(t1, t3, 0x44);
        r3 = Avx.Shuffle(t1, t3, 0xEE);
        r4 = Avx.Shuffle(t4, t6, 0x44);
        r5 = Avx.Shuffle(t4, t6, 0xEE);
        r6 = Avx.Shuffle(t5, t7, 0x44);
        r7 = Avx.Shuffle(t5, t7, 0xEE);
        Avx.Permute2x128(r0, r4, 0x20).Store(to);
        Avx.Permute2x128(r1, r5, 0x20).Store(to += toRow);
        Avx.Permute2x128(r2, r6, 0x20).Store(to += toRow);
        Avx.Permute2x128(r3, r7, 0x20).Store(to += toRow);
        Avx.Permute2x128(r0, r4, 0x31).Store(to += toRow);
        Avx.Permute2x128(r1, r5, 0x31).Store(to += toRow);
        Avx.Permute2x128(r2, r6, 0x31).Store(to += toRow);
        Avx.Permute2x128(r3, r7, 0x31).Store(to + toRow);
    }
}
