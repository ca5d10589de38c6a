using System.Buffers.Binary;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Writes the elements of a tensor in one of GGUF's encodings.</summary>
internal static class GgufData
{
    private const int BlockSize = 32, BlockBytes = 34;

    public static void Write(Stream file, Tensor tensor, GgufType type)
    {
        switch (type)
        {
            case GgufType.F32:
                TensorBytes.Write(file, tensor, ScalarType.Float32);
                break;
            case GgufType.F16:
                TensorBytes.Write(file, tensor, ScalarType.Float16);
                break;
            case GgufType.BF16:
                TensorBytes.Write(file, tensor, ScalarType.BFloat16);
                break;
            default:
                WriteQ8(file, tensor);
                break;
        }
    }

    private static void WriteQ8(Stream file, Tensor tensor)
    {
        Tensor flat = tensor.detach().to(ScalarType.Float32, CPU).contiguous().view(-1);
        const int chunk = BlockSize << 14;
        byte[] output = new byte[chunk / BlockSize * BlockBytes];
        for (long at = 0; at < flat.numel(); at += chunk)
        {
            using Tensor part = flat.narrow(0, at, Math.Min(chunk, flat.numel() - at));
            ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(part.bytes);
            int blocks = values.Length / BlockSize;
            for (int block = 0; block < blocks; block++)
            {
                QuantizeBlock(values.Slice(block * BlockSize, BlockSize), output.AsSpan(block * BlockBytes, BlockBytes));
            }

            file.Write(output.AsSpan(0, blocks * BlockBytes));
        }
    }

    /// <summary>A half-precision scale d = max|x| / 127, then 32 signed bytes round(x / d) (ggml, quantize_row_q8_0).</summary>
    private static void QuantizeBlock(ReadOnlySpan<float> values, Span<byte> output)
    {
        float scale = 0;
        foreach (float value in values)
        {
            scale = Math.Max(scale, Math.Abs(value));
        }

        scale /= 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        BinaryPrimitives.WriteHalfLittleEndian(output, (Half)scale);
        for (int i = 0; i < values.Length; i++)
        {
            output[2 + i] = (byte)(sbyte)MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero);
        }
    }
}
