using LangTrain.Modeling;
using static TorchSharp.torch;

namespace LangTrain.Inference.Cpu;

/// <summary>A weight matrix where libtorch keeps it, no copy: valid as long as its tensor is.</summary>
internal readonly unsafe struct CpuMatrix
{
    private enum Storage
    {
        Float32,
        BFloat16,
        Int8,
    }

    private readonly Storage _storage;

    private CpuMatrix(Storage storage, void* data, float* scales, int rows, int inputs)
    {
        (_storage, Rows, Inputs) = (storage, rows, inputs);
        Data = data;
        Scales = scales;
    }

    /// <summary>First row.</summary>
    public void* Data { get; }

    /// <summary>Scales of 8-bit integers.</summary>
    public float* Scales { get; }

    /// <summary>Rows: outputs of a linear layer, tokens of a table.</summary>
    public int Rows { get; }

    /// <summary>Columns.</summary>
    public int Inputs { get; }

    /// <summary>A matrix of float32 anywhere.</summary>
    public static CpuMatrix Of(float* data, int rows, int inputs) => new(Storage.Float32, data, null, rows, inputs);

    /// <summary>A contiguous tensor on the CPU, Float32 or BFloat16, [rows, inputs].</summary>
    public static CpuMatrix Of(Tensor tensor) =>
        new(tensor.dtype == ScalarType.BFloat16 ? Storage.BFloat16 : Storage.Float32, Pointer(tensor), null, (int)tensor.shape[0], (int)tensor.shape[1]);

    /// <summary>A quantized weight.</summary>
    public static CpuMatrix Of(Int8Weight weight) =>
        new(Storage.Int8, Pointer(weight.Codes), (float*)Pointer(weight.Scales), (int)weight.Shape[0], (int)weight.Shape[1]);

    /// <summary>Where libtorch keeps a contiguous tensor on the CPU; it does not move.</summary>
    public static void* Pointer(Tensor tensor) => (void*)TorchOperator.DataOf(tensor);

    /// <summary>Some rows as a matrix of their own.</summary>
    public CpuMatrix Slice(int first, int rows)
    {
        long start = (long)first * Inputs, groups = CpuInt8Product.Groups(Inputs);
        var bytes = _storage switch { Storage.Float32 => sizeof(float), Storage.BFloat16 => sizeof(ushort), _ => sizeof(sbyte) };
        return new CpuMatrix(_storage, (byte*)Data + start * bytes, Scales == null ? null : Scales + first * groups, rows, Inputs);
    }

    /// <summary>True for 8-bit integers: their products take <see cref="CpuVectors.Codes"/>.</summary>
    public bool IsInt8 => _storage == Storage.Int8;

    /// <summary>y[b, r] = x[b] · row r, for rows r from <paramref name="first"/> to before <paramref name="end"/>; see <see cref="CpuProduct"/>.</summary>
    public void Multiply(in CpuVectors x, float* y, int batch, int stride, int first, int end)
    {
        switch (_storage)
        {
            case Storage.Float32:
                CpuProduct.Multiply<Float32Row>(this, x.Values, Inputs, y, batch, stride, first, end);
                break;
            case Storage.BFloat16:
                CpuProduct.Multiply<BFloat16Row>(this, x.Values, Inputs, y, batch, stride, first, end);
                break;
            default:
                CpuInt8Product.Multiply(this, x, y, batch, stride, first, end);
                break;
        }
    }

    /// <summary>Writes a row as float32.</summary>
    public void CopyRow(int row, float* to)
    {
        switch (_storage)
        {
            case Storage.Float32:
                CpuProduct.Widen(Float32Row.Of(this, row), to, Inputs);
                break;
            case Storage.BFloat16:
                CpuProduct.Widen(BFloat16Row.Of(this, row), to, Inputs);
                break;
            default:
                CopyInt8(row, to);
                break;
        }
    }

    private void CopyInt8(int row, float* to)
    {
        var codes = (sbyte*)Data + (long)row * Inputs;
        var scales = Scales + (long)row * CpuInt8Product.Groups(Inputs);
        for (var k = 0; k < Inputs; k++)
            to[k] = codes[k] * scales[k / Int8Weight.GroupSize];
    }
}
