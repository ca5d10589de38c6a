using System.Text;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Writes a GGUF file, version 3: metadata, tensor list, aligned data; atomically, one tensor in memory at a time.</summary>
/// <remarks>Format: docs/gguf.md of ggml-org/ggml.</remarks>
internal sealed class GgufFile
{
    private const int Alignment = 32;
    private readonly List<(string Key, Action<BinaryWriter> Write)> _metadata = [];
    private readonly List<(string Name, long[] Shape, GgufType Type, Func<Tensor> Read)> _tensors = [];

    public void Add(string key, uint value) => Add(key, 4, writer => writer.Write(value));

    public void Add(string key, float value) => Add(key, 6, writer => writer.Write(value));

    public void Add(string key, bool value) => Add(key, 7, writer => writer.Write((byte)(value ? 1 : 0)));

    public void Add(string key, string value) => Add(key, 8, writer => WriteText(writer, value));

    public void Add(string key, IReadOnlyCollection<string> values) => AddArray(key, 8, values, WriteText);

    public void Add(string key, IReadOnlyCollection<float> values) => AddArray(key, 6, values, (writer, value) => writer.Write(value));

    public void Add(string key, IReadOnlyCollection<int> values) => AddArray(key, 5, values, (writer, value) => writer.Write(value));

    /// <summary>Adds a tensor that is read when its turn comes; matrices take the type given, vectors are F32.</summary>
    public void Add(string name, long[] shape, GgufType type, Func<Tensor> read)
    {
        GgufType stored = shape.Length < 2 ? GgufType.F32 : type == GgufType.Q8_0 && shape[^1] % 32 != 0 ? GgufType.F16 : type;
        _tensors.Add((name, shape, stored, read));
    }

    public void Save(string path)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (FileStream file = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                using BinaryWriter writer = new(file, Encoding.UTF8, leaveOpen: true);
                WriteHeader(writer);
                foreach ((_, long[] shape, GgufType type, Func<Tensor> read) in _tensors)
                {
                    Pad(writer, file);
                    writer.Flush();
                    using var scope = NewDisposeScope();
                    using var frozen = no_grad();
                    GgufData.Write(file, read(), type);
                }

                Pad(writer, file);
                writer.Flush();
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private void WriteHeader(BinaryWriter writer)
    {
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)_tensors.Count);
        writer.Write((ulong)_metadata.Count);
        foreach ((string key, Action<BinaryWriter> write) in _metadata)
        {
            WriteText(writer, key);
            write(writer);
        }

        ulong offset = 0;
        foreach ((string name, long[] shape, GgufType type, _) in _tensors)
        {
            WriteText(writer, name);
            writer.Write((uint)shape.Length);
            foreach (long dimension in shape.Reverse())
            {
                writer.Write((ulong)dimension); // innermost first
            }

            writer.Write(type switch { GgufType.F32 => 0u, GgufType.F16 => 1u, GgufType.Q8_0 => 8u, _ => 30u });
            writer.Write(offset);
            ulong count = shape.Aggregate(1UL, (product, dimension) => product * (ulong)dimension);
            ulong bytes = type switch { GgufType.F32 => 4 * count, GgufType.Q8_0 => count / 32 * 34, _ => 2 * count };
            offset += (bytes + Alignment - 1) / Alignment * Alignment;
        }
    }

    private void Add(string key, uint type, Action<BinaryWriter> write) => _metadata.Add((key, writer =>
    {
        writer.Write(type);
        write(writer);
    }));

    private void AddArray<T>(string key, uint type, IReadOnlyCollection<T> values, Action<BinaryWriter, T> write) => Add(key, 9, writer =>
    {
        writer.Write(type);
        writer.Write((ulong)values.Count);
        foreach (T value in values)
        {
            write(writer, value);
        }
    });

    private static void WriteText(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void Pad(BinaryWriter writer, FileStream file)
    {
        writer.Flush();
        for (long left = (Alignment - file.Position % Alignment) % Alignment; left > 0; left--)
        {
            writer.Write((byte)0);
        }
    }
}
