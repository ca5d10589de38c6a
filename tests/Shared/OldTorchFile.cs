using System.Text;

namespace LangTrain.Testing;

/// <summary>Writes a PyTorch checkpoint in the layout of torch before 1.6: pickles one after the other, then the storages.</summary>
internal static class OldTorchFile
{
    /// <summary>What stands before the pickle of the tensors: magic number, protocol, and the facts of the machine, none.</summary>
    public static readonly byte[] Head = Latin("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.");

    /// <summary>Writes contiguous Float32 tensors.</summary>
    /// <param name="file">Written to.</param>
    /// <param name="tensors">Name, shape and little-endian elements of each.</param>
    public static void Write(Stream file, IReadOnlyList<(string Name, long[] Shape, byte[] Elements)> tensors)
    {
        file.Write(Head);
        file.Write(Latin("\x80\x02}"));
        for (var i = 0; i < tensors.Count; i++)
        {
            var (name, shape, elements) = tensors[i];
            var strides = shape.Select((_, axis) => shape.Skip(axis + 1).Aggregate(1L, (a, b) => a * b));
            file.Write(Latin($"{Text(name)}ctorch._utils\n_rebuild_tensor_v2\n(({Text("storage")}ctorch\nFloatStorage\n{Text($"{i}")}{Text("cpu")}{Number(elements.Length / 4)}NtQK\0({string.Concat(shape.Select(Number))}t({string.Concat(strides.Select(Number))}t\x89NtRs"));
        }

        file.Write(Latin($".\x80\x02]({string.Concat(tensors.Select((_, i) => Text($"{i}")))}e."));
        foreach (var (_, _, elements) in tensors)
        {
            file.Write(BitConverter.GetBytes((long)elements.Length / 4));
            file.Write(elements);
        }
    }

    private static byte[] Latin(string text) => Encoding.Latin1.GetBytes(text);

    private static string Number(long value) => "J" + Encoding.Latin1.GetString(BitConverter.GetBytes((int)value));

    private static string Text(string value) => "X" + Encoding.Latin1.GetString(BitConverter.GetBytes(value.Length)) + value;
}
