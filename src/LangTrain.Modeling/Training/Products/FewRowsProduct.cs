using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// x · Wᵀ for a few rows, as where texts are written a token at a time: reading W is most of the work, and libtorch's libraries take several times what the memory does.
/// W is read once, row by row, where it lies; of a quantized one only the rows in hand are ever dense.
/// </summary>
/// <remarks>Each sum is made in one fixed order, whatever the number of rows and threads: a row's results do not depend on what is beside it.</remarks>
internal static unsafe class FewRowsProduct
{
    /// <summary>With more than these the libraries, which cut W so that caches hold it, are as fast.</summary>
    private const int MostRows = 16;

    private const int TileRows = 4, TileOutputs = 2, Lanes = 8;

    /// <summary>Terms with which all rows of x stay in a core's first-level cache while W passes by.</summary>
    private const int NearTerms = 512;

    /// <summary>Whether these are few rows, in Float32 on the CPU.</summary>
    public static bool Fits(Tensor x) =>
        Fma.IsSupported && x.dtype == ScalarType.Float32 && x.device.type == TorchSharp.DeviceType.CPU && x.shape is [> 0 and <= MostRows, > 0];

    /// <summary>Multiplies by a dense weight.</summary>
    /// <param name="x">[N, in] that fits.</param>
    /// <param name="weight">[out, in], Float32 on the CPU.</param>
    /// <returns>[N, out]; fresh, owned by the caller's scope.</returns>
    public static Tensor Forward(Tensor x, Tensor weight)
    {
        using var scope = NewDisposeScope();
        Tensor contiguous = weight.contiguous();
        var rows = (float*)TorchOperator.DataOf(contiguous);
        nint width = (nint)weight.shape[1];
        return Multiply(x, weight.shape[0], (output, _) => rows + output * width).MoveToOuterDisposeScope();
    }

    /// <summary>Multiplies by a weight that another form is kept of.</summary>
    /// <param name="x">[N, in] that fits.</param>
    /// <param name="outputs">Rows of the weight.</param>
    /// <param name="read">Writes rows of the weight, from the first argument to before the second, to where the third points.</param>
    /// <returns>[N, out]; fresh, owned by the caller's scope.</returns>
    public static Tensor Forward(Tensor x, long outputs, ReadRows read)
    {
        nint width = (nint)x.shape[1];
        return Multiply(x, outputs, (output, spare) =>
        {
            read(output, Math.Min(output + TileOutputs, outputs), spare);
            return spare;
        });
    }

    /// <summary>Writes rows of a weight, dense.</summary>
    /// <param name="from">The first.</param>
    /// <param name="end">After the last.</param>
    /// <param name="to">[end - from, in].</param>
    public delegate void ReadRows(long from, long end, float* to);

    // Two neighbouring rows of the weight are located at a time, the second of which may not be there.
    private static Tensor Multiply(Tensor x, long outputs, Locate locate)
    {
        using var scope = NewDisposeScope();
        int rows = (int)x.shape[0], width = (int)x.shape[1], padded = (rows + TileRows - 1) / TileRows * TileRows;
        Tensor input = x.contiguous();
        if (padded > rows)
        {
            input = cat([input, zeros(padded - rows, width)]);
        }

        Tensor result = empty(rows, outputs);
        float* inputs = (float*)TorchOperator.DataOf(input), results = (float*)TorchOperator.DataOf(result);
        TorchThreads.For((outputs + TileOutputs - 1) / TileOutputs, outputs * width * rows, (from, end) =>
        {
            float* spare = (float*)NativeMemory.AlignedAlloc((nuint)(TileOutputs * width * sizeof(float)), 64);
            try
            {
                float* sums = stackalloc float[MostRows * TileOutputs];
                for (long output = from * TileOutputs; output < Math.Min(end * TileOutputs, outputs); output += TileOutputs)
                {
                    int count = (int)Math.Min(TileOutputs, outputs - output);
                    float* first = locate(output, spare), second = count == TileOutputs ? first + width : first;
                    new Span<float>(sums, MostRows * TileOutputs).Clear();
                    for (int k = 0; k < width; k += NearTerms)
                    {
                        for (int row = 0; row < rows; row += TileRows)
                        {
                            Tile(inputs + (nint)row * width + k, width, first + k, second + k, Math.Min(NearTerms, width - k), sums + row * TileOutputs);
                        }
                    }

                    for (int row = 0; row < rows; row++)
                    {
                        new Span<float>(sums + row * TileOutputs, count).CopyTo(new Span<float>(results + row * outputs + output, count));
                    }
                }
            }
            finally
            {
                NativeMemory.AlignedFree(spare);
            }
        });
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>Adds four rows of x by two of W to their sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile(float* x, nint xRow, float* first, float* second, int terms, float* sums)
    {
        Vector256<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        float* x1 = x + xRow, x2 = x1 + xRow, x3 = x2 + xRow;
        int k = 0;
        for (; k <= terms - Lanes; k += Lanes)
        {
            Vector256<float> a = Vector256.Load(first + k), b = Vector256.Load(second + k);
            Vector256<float> row = Vector256.Load(x + k);
            c00 = Fma.MultiplyAdd(row, a, c00);
            c01 = Fma.MultiplyAdd(row, b, c01);
            row = Vector256.Load(x1 + k);
            c10 = Fma.MultiplyAdd(row, a, c10);
            c11 = Fma.MultiplyAdd(row, b, c11);
            row = Vector256.Load(x2 + k);
            c20 = Fma.MultiplyAdd(row, a, c20);
            c21 = Fma.MultiplyAdd(row, b, c21);
            row = Vector256.Load(x3 + k);
            c30 = Fma.MultiplyAdd(row, a, c30);
            c31 = Fma.MultiplyAdd(row, b, c31);
        }

        (Vector128.Load(sums) + Sums(c00, c01, c10, c11)).Store(sums);
        (Vector128.Load(sums + 4) + Sums(c20, c21, c30, c31)).Store(sums + 4);
        for (; k < terms; k++)
        {
            (sums[0], sums[1]) = (sums[0] + x[k] * first[k], sums[1] + x[k] * second[k]);
            (sums[2], sums[3]) = (sums[2] + x1[k] * first[k], sums[3] + x1[k] * second[k]);
            (sums[4], sums[5]) = (sums[4] + x2[k] * first[k], sums[5] + x2[k] * second[k]);
            (sums[6], sums[7]) = (sums[6] + x3[k] * first[k], sums[7] + x3[k] * second[k]);
        }
    }

    /// <summary>The sum of each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sums(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        Vector256<float> all = Avx.HorizontalAdd(Avx.HorizontalAdd(a, b), Avx.HorizontalAdd(c, d));
        return all.GetLower() + all.GetUpper();
    }

    /// <summary>Where rows of the weight lie, from the given one on: in place, or dense in the room that is lent.</summary>
    private delegate float* Locate(long output, float* spare);
}
