using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Parses and checks a safetensors header: nothing about the file is believed until it all agrees.</summary>
/// <remarks>Format: 8-byte little-endian header length, JSON header, data without holes (huggingface/safetensors README).</remarks>
internal sealed class SafetensorsHeader
{
    /// <summary>The reference implementation's limit; a longer header is an attack or a mistake.</summary>
    private const long MaxHeaderBytes = 100_000_000;

    private SafetensorsHeader(long dataStart, IReadOnlyList<SafetensorsEntry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        DataStart = dataStart;
        Entries = entries;
        Metadata = metadata;
    }

    public long DataStart { get; }

    /// <summary>Tensors in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <exception cref="InvalidDataException">The file is truncated, or its header does not describe its data exactly.</exception>
    public static SafetensorsHeader Read(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        Span<byte> prefix = stackalloc byte[8];
        if (file.Length < 8 || file.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8)
        {
            throw Bad(path, "the file is shorter than its 8-byte prefix");
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxHeaderBytes || (long)length > file.Length - 8)
        {
            Span<byte> start = stackalloc byte[LfsPointer.Length];
            file.Position = 0;
            LfsPointer.Refuse(start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)], Path.GetFileName(path));
            throw Bad(path, $"the header is said to be {length} bytes long, the file has {file.Length}");
        }

        byte[] json = new byte[(int)length];
        file.ReadExactly(json);
        return Parse(path, json, 8 + (long)length, file.Length - 8 - (long)length);
    }

    private static SafetensorsHeader Parse(string path, byte[] json, long dataStart, long dataBytes)
    {
        List<SafetensorsEntry> entries = [];
        Dictionary<string, string> metadata = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                if (property.Name == "__metadata__")
                {
                    foreach (JsonProperty pair in property.Value.EnumerateObject())
                    {
                        metadata[pair.Name] = pair.Value.GetString() ?? throw Bad(path, $"metadata '{pair.Name}' is null");
                    }
                }
                else
                {
                    entries.Add(ReadEntry(path, property, dataBytes));
                }
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw Bad(path, $"the header is not what it should be ({error.Message})");
        }

        entries.Sort((a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.ByteCount.CompareTo(b.ByteCount));
        long end = 0;
        foreach (SafetensorsEntry entry in entries)
        {
            if (entry.Offset != end)
            {
                throw Bad(path, $"'{entry.Name}' starts at byte {entry.Offset}, where {end} was due: {(entry.Offset < end ? "tensors overlap" : "there is a hole")}");
            }

            end += entry.ByteCount;
        }

        return end == dataBytes ? new(dataStart, entries, metadata) : throw Bad(path, $"the tensors take {end} bytes, the file holds {dataBytes}");
    }

    private static SafetensorsEntry ReadEntry(string path, JsonProperty property, long dataBytes)
    {
        string name = property.Name;
        JsonElement offsets = property.Value.GetProperty("data_offsets");
        if (offsets.GetArrayLength() != 2 || property.Value.EnumerateObject().Count() != 3)
        {
            throw Bad(path, $"'{name}' must have exactly dtype, shape and two data_offsets");
        }

        (ScalarType dtype, int size) = ReadDtype(path, name, property.Value.GetProperty("dtype").GetString());
        long begin = offsets[0].GetInt64(), end = offsets[1].GetInt64();
        if (begin < 0 || end < begin || end > dataBytes)
        {
            throw Bad(path, $"'{name}' lies at bytes {begin} to {end} of {dataBytes}");
        }

        List<long> shape = [];
        Int128 bytes = size;
        foreach (JsonElement dimension in property.Value.GetProperty("shape").EnumerateArray())
        {
            long value = dimension.GetInt64();
            if (value < 0 || (bytes *= value) > dataBytes)
            {
                throw Bad(path, $"'{name}' has a dimension of {value}, which the file cannot hold");
            }

            shape.Add(value);
        }

        return bytes == end - begin ? new(name, dtype, shape, begin, end - begin) : throw Bad(path, $"'{name}' has {end - begin} bytes; its shape and type need {bytes}");
    }

    private static (ScalarType Dtype, int Size) ReadDtype(string path, string name, string? dtype) => dtype switch
    {
        "F64" => (ScalarType.Float64, 8),
        "F32" => (ScalarType.Float32, 4),
        "F16" => (ScalarType.Float16, 2),
        "BF16" => (ScalarType.BFloat16, 2),
        "I64" => (ScalarType.Int64, 8),
        "I32" => (ScalarType.Int32, 4),
        "I16" => (ScalarType.Int16, 2),
        "I8" => (ScalarType.Int8, 1),
        "U8" => (ScalarType.Byte, 1),
        "BOOL" => (ScalarType.Bool, 1),
        _ => throw new UnsupportedModelException(null, $"{Path.GetFileName(path)}: tensor '{name}' is stored as {dtype}; readable are F64, F32, F16, BF16, I64, I32, I16, I8, U8 and BOOL. Convert the weights to BF16 first."),
    };

    private static InvalidDataException Bad(string path, string what) => new($"{Path.GetFileName(path)} is not a sound safetensors file: {what}.");
}
