using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Writes the elements of a tensor to a file.</summary>
internal static class TensorBytes
{
    /// <param name="file">Where to write.</param>
    /// <param name="tensor">Any shape, type, device.</param>
    /// <param name="type">Element type to write, little-endian.</param>
    public static void Write(Stream file, Tensor tensor, ScalarType type)
    {
        if (tensor.numel() == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        Tensor flat = tensor.detach().to(type, CPU).contiguous().view(-1);
        long count = flat.numel(), chunk = (1 << 28) / type.ElementSize();
        for (long at = 0; at < count; at += chunk)
        {
            // A span holds at most 2 GiB, a 70B model's embedding more.
            using Tensor part = flat.narrow(0, at, Math.Min(chunk, count - at));
            file.Write(part.bytes);
        }
    }
}
