using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace LangTrain.Inference.Cpu;

/// <summary>
/// Products of many vectors with a bfloat16 weight by libtorch, whose oneDNN knows the processor's instructions for bfloat16, which .NET does not.
/// Operands and results are rounded to bfloat16, sums are float32.
/// </summary>
internal sealed unsafe class BFloat16Product : IDisposable
{
    /// <summary>Tokens of one prompt from which the detour pays.</summary>
    public const int WorthTokens = 32;

    private readonly Tensor _input; // [most tokens · widest input]
    private readonly ushort* _inputs;
    private readonly (Tensor? Tensor, nint Data)[] _results;
    private int _count;

    /// <param name="tokens">Most vectors.</param>
    /// <param name="widest">Elements of the longest one.</param>
    /// <param name="results">Products of one input that are kept at a time.</param>
    public BFloat16Product(int tokens, int widest, int results)
    {
        _input = zeros((long)tokens * widest, ScalarType.BFloat16).DetachFromDisposeScope();
        _inputs = (ushort*)CpuMatrix.Pointer(_input);
        _results = new (Tensor?, nint)[results];
    }

    /// <summary>Begins with other vectors; what was multiplied before is dropped.</summary>
    /// <param name="count">How many.</param>
    public void Start(int count)
    {
        _count = count;
        for (var i = 0; i < _results.Length; i++)
        {
            _results[i].Tensor?.Dispose();
            _results[i] = default;
        }
    }

    /// <summary>Rounds a vector to bfloat16, to the nearest, ties to even, as libtorch does.</summary>
    /// <param name="x">The vectors, [count, width].</param>
    /// <param name="row">Which one.</param>
    /// <param name="width">Its elements.</param>
    public void Narrow(float* x, int row, int width)
    {
        var from = (uint*)x + (long)row * width;
        var to = _inputs + (long)row * width;
        var i = 0;
        for (; i + 16 <= width; i += 16)
            Vector256.Narrow(Round(Vector256.Load(from + i)), Round(Vector256.Load(from + i + 8))).Store(to + i);
        for (; i < width; i++)
            to[i] = (ushort)(from[i] + 0x7FFF + ((from[i] >> 16) & 1) >> 16);
    }

    /// <summary>Multiplies all vectors with some rows of a weight, on libtorch's threads.</summary>
    /// <param name="result">Which product this is.</param>
    /// <param name="weight">[rows, width], BFloat16.</param>
    /// <param name="first">First row.</param>
    /// <param name="rows">Rows.</param>
    public void Multiply(int result, Tensor weight, int first, int rows)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var width = weight.shape[1];
        var product = nn.functional.linear(_input.narrow(0, 0, _count * width).view(_count, width), weight.narrow(0, first, rows));
        _results[result] = (product.DetachFromDisposeScope(), (nint)CpuMatrix.Pointer(product));
    }

    /// <summary>Writes a vector's product as float32.</summary>
    /// <param name="result">Which product.</param>
    /// <param name="row">Which vector.</param>
    /// <param name="y">Where it goes.</param>
    /// <param name="rows">Its elements.</param>
    public void Widen(int result, int row, float* y, int rows) =>
        CpuProduct.Widen(new BFloat16Row((ushort*)_results[result].Data + (long)row * rows), y, rows);

    /// <inheritdoc/>
    public void Dispose()
    {
        Start(0);
        _input.Dispose();
    }

    // Infinities, and a NaN as processors make it, stay what they are.
    private static Vector256<uint> Round(Vector256<uint> v) => v + Vector256.Create(0x7FFFu) + ((v >> 16) & Vector256<uint>.One) >> 16;
}
