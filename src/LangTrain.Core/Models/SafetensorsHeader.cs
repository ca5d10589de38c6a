using System.Buffers.Binary;
using System.Text.Json;

namespace LangTrain.Core.Models;

/// <summary>A tensor as a safetensors header names it.</summary>
/// <param name="Name">Name.</param>
/// <param name="Dtype"><c>F32</c>, <c>BF16</c>, …</param>
/// <param name="Shape">Sizes.</param>
/// <param name="Begin">First byte in the data part.</param>
/// <param name="End">Byte after the last.</param>
internal sealed record SafetensorsEntry(string Name, string Dtype, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => checked(product * size));
}

/// <summary>The header of a safetensors file: 8 bytes of length (little-endian), JSON, then data without holes.</summary>
/// <remarks>The service reads headers only, to know and to check what was given; weights are read by workers.</remarks>
internal static class SafetensorsHeader
{
    private const int MaxBytes = 100_000_000;

    private static readonly Dictionary<string, int> ElementBytes = new(StringComparer.Ordinal)
    {
        ["F64"] = 8, ["I64"] = 8, ["U64"] = 8, ["F32"] = 4, ["I32"] = 4, ["U32"] = 4, ["F16"] = 2, ["BF16"] = 2,
        ["I16"] = 2, ["U16"] = 2, ["I8"] = 1, ["U8"] = 1, ["BOOL"] = 1, ["F8_E4M3"] = 1, ["F8_E5M2"] = 1,
    };

    /// <summary>Reads the header and leaves the stream at the first byte of data.</summary>
    /// <param name="stream">At the file's beginning.</param>
    /// <param name="fileBytes">Size of the file.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidDataException">The file is not what the format allows.</exception>
    public static async Task<IReadOnlyList<SafetensorsEntry>> ReadAsync(Stream stream, long fileBytes, CancellationToken cancellation)
    {
        var prefix = new byte[8];
        if (await stream.ReadAtLeastAsync(prefix, 8, throwOnEndOfStream: false, cancellation) < 8)
        {
            throw new InvalidDataException("The file is shorter than a safetensors header.");
        }

        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length is 0 or > MaxBytes || (long)length > fileBytes - 8)
        {
            throw new InvalidDataException("The header's length is not possible: this is no safetensors file, or it was cut off.");
        }

        var json = new byte[length];
        await stream.ReadExactlyAsync(json, cancellation);
        try
        {
            return Check(JsonElement.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false }), fileBytes - 8 - (long)length);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or OverflowException)
        {
            throw new InvalidDataException("The safetensors header cannot be read.", e);
        }
    }

    private static List<SafetensorsEntry> Check(JsonElement header, long dataBytes)
    {
        var entries = new List<SafetensorsEntry>();
        foreach (var property in header.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                continue;
            }

            var offsets = property.Value.GetProperty("data_offsets");
            entries.Add(new SafetensorsEntry(
                property.Name,
                property.Value.GetProperty("dtype").GetString()!,
                [.. property.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())],
                offsets[0].GetInt64(),
                offsets[1].GetInt64()));
        }

        entries.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        var at = 0L;
        foreach (var entry in entries)
        {
            if (!ElementBytes.TryGetValue(entry.Dtype, out var size))
            {
                throw new InvalidDataException($"The tensor '{entry.Name}' has the type '{entry.Dtype}', which is not known.");
            }

            if (entry.Begin != at || entry.Shape.Any(length => length < 0) || checked(entry.Count * size) != entry.End - entry.Begin)
            {
                throw new InvalidDataException($"The tensor '{entry.Name}' does not lie where its shape and type put it.");
            }

            at = entry.End;
        }

        return at == dataBytes ? entries : throw new InvalidDataException("The file's size is not the one that its header adds up to: it was cut off or has extra bytes.");
    }
}
