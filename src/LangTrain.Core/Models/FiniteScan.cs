using System.Runtime.InteropServices;

namespace LangTrain.Core.Models;

/// <summary>Looks for NaN and infinity in the weights of safetensors files, reading each file once from front to back.</summary>
internal static class FiniteScan
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Scans all tensors.</summary>
    /// <exception cref="InvalidDataException">One holds a value that is not finite; it is named.</exception>
    public static async Task RunAsync(ModelFolder folder, ModelFacts facts, CancellationToken cancellation)
    {
        var sizes = (await folder.ListAsync(cancellation)).ToDictionary(file => file.Name, file => file.Bytes, StringComparer.Ordinal);
        var buffer = new byte[BufferBytes];
        foreach (var file in facts.Tensors.GroupBy(pair => pair.File, pair => pair.Tensor))
        {
            await using var stream = await folder.OpenAsync(file.Key, cancellation) ?? throw new InvalidDataException($"The file '{file.Key}' is missing.");
            await SafetensorsHeader.ReadAsync(stream, sizes[file.Key], cancellation);
            foreach (var tensor in file.OrderBy(tensor => tensor.Begin))
            {
                await ScanAsync(stream, tensor, buffer, cancellation);
            }
        }
    }

    private static async Task ScanAsync(Stream stream, SafetensorsEntry tensor, byte[] buffer, CancellationToken cancellation)
    {
        for (var left = tensor.End - tensor.Begin; left > 0;)
        {
            // A multiple of the largest element, so that none is cut in two.
            var part = buffer.AsMemory(0, (int)Math.Min(left, BufferBytes));
            await stream.ReadExactlyAsync(part, cancellation);
            left -= part.Length;
            if (!IsFinite(part.Span, tensor.Dtype))
            {
                throw new InvalidDataException($"The tensor '{tensor.Name}' holds NaN or infinity.");
            }
        }
    }

    // A float is not finite when all bits of its exponent are set.
    private static bool IsFinite(ReadOnlySpan<byte> bytes, string dtype)
    {
        switch (dtype)
        {
            case "F32":
                foreach (var bits in MemoryMarshal.Cast<byte, uint>(bytes))
                {
                    if ((bits & 0x7F80_0000) == 0x7F80_0000)
                    {
                        return false;
                    }
                }

                return true;
            case "F64":
                foreach (var value in MemoryMarshal.Cast<byte, double>(bytes))
                {
                    if (!double.IsFinite(value))
                    {
                        return false;
                    }
                }

                return true;
            case "F16" or "BF16":
                var exponent = dtype == "F16" ? 0x7C00 : 0x7F80;
                foreach (var bits in MemoryMarshal.Cast<byte, ushort>(bytes))
                {
                    if ((bits & exponent) == exponent)
                    {
                        return false;
                    }
                }

                return true;
            default:
                return true;
        }
    }
}
