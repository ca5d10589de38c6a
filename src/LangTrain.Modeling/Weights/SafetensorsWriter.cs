using System.Buffers.Binary;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Writes safetensors files: one tensor in memory at a time, and atomically (the name appears only once all bytes are on disk).</summary>
public static class SafetensorsWriter
{
    private const string Unfinished = ".tmp";

    /// <summary>Writes the tensors, in the order given.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="tensors">Names and tensors, any device; not disposed.</param>
    /// <param name="dtype">Element type to store floating tensors as; null keeps theirs.</param>
    /// <param name="metadata">The header's <c>__metadata__</c>; null writes <c>format: pt</c>, which Hugging Face's loaders ask for.</param>
    /// <exception cref="ArgumentException">Two tensors have one name, or a type cannot be stored.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<KeyValuePair<string, Tensor>> tensors, ScalarType? dtype = null, IReadOnlyDictionary<string, string>? metadata = null) =>
        Write(path, [.. tensors.Select(pair => new StoredTensor(pair.Key, pair.Value.shape, dtype is { } wanted && pair.Value.is_floating_point() ? wanted : pair.Value.dtype, pair.Value.alias))], metadata);

    /// <summary>Removes what a process that was killed in <see cref="Write(string, IReadOnlyList{KeyValuePair{string, Tensor}}, ScalarType?, IReadOnlyDictionary{string, string}?)"/> left in a folder; nobody may be writing there.</summary>
    /// <param name="folder">The folder; it may be absent.</param>
    public static void RemoveUnfinished(string folder)
    {
        foreach (string path in Directory.Exists(folder) ? Directory.GetFiles(folder, "*.safetensors.*" + Unfinished) : [])
        {
            File.Delete(path);
        }
    }

    /// <summary>Writes tensors that are made only when their turn comes.</summary>
    internal static void Write(string path, IReadOnlyList<StoredTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}{Unfinished}";
        try
        {
            using (FileStream file = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                byte[] header = Header(tensors, metadata ?? new Dictionary<string, string> { ["format"] = "pt" });
                Span<byte> prefix = stackalloc byte[8];
                BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
                file.Write(prefix);
                file.Write(header);
                foreach (StoredTensor stored in tensors)
                {
                    using var scope = NewDisposeScope();
                    TensorBytes.Write(file, stored.Read(), stored.Dtype);
                }

                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static byte[] Header(IReadOnlyList<StoredTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach ((string key, string value) in metadata)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
            long offset = 0;
            HashSet<string> names = [];
            foreach ((string name, long[] shape, ScalarType type, _) in tensors)
            {
                if (!names.Add(name))
                {
                    throw new ArgumentException($"Two tensors are called '{name}'.", nameof(tensors));
                }

                long end = offset + shape.Aggregate(1L, (product, dimension) => product * dimension) * type.ElementSize();
                json.WriteStartObject(name);
                json.WriteString("dtype", TypeName(type));
                json.WriteStartArray("shape");
                foreach (long dimension in shape)
                {
                    json.WriteNumberValue(dimension);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                offset = end;
            }

            json.WriteEndObject();
        }

        // Spaces until the data begins at a multiple of 64: readers map it as typed arrays, and whole vectors lie in one cache line.
        byte[] header = stream.ToArray();
        int padded = (sizeof(long) + header.Length + 63) / 64 * 64 - sizeof(long);
        int length = header.Length;
        Array.Resize(ref header, padded);
        header.AsSpan(length).Fill((byte)' ');
        return header;
    }

    private static string TypeName(ScalarType type) => type switch
    {
        ScalarType.Float64 => "F64",
        ScalarType.Float32 => "F32",
        ScalarType.Float16 => "F16",
        ScalarType.BFloat16 => "BF16",
        ScalarType.Int64 => "I64",
        ScalarType.Int32 => "I32",
        ScalarType.Int16 => "I16",
        ScalarType.Int8 => "I8",
        ScalarType.Byte => "U8",
        ScalarType.Bool => "BOOL",
        _ => throw new ArgumentException($"Safetensors files cannot hold {type}."),
    };
}
