using System.Text;

namespace LangTrain.Modeling.Tests;

/// <summary>Reads a GGUF file by the format's description, for tests only.</summary>
internal sealed class GgufReader
{
    private readonly byte[] _data;

    public GgufReader(string path)
    {
        using BinaryReader reader = new(File.OpenRead(path));
        Assert.Equal("GGUF"u8.ToArray(), reader.ReadBytes(4));
        Assert.Equal(3u, reader.ReadUInt32());
        ulong tensors = reader.ReadUInt64(), keys = reader.ReadUInt64();
        for (ulong i = 0; i < keys; i++)
        {
            string key = Text(reader);
            Metadata.Add(key, Value(reader, reader.ReadUInt32()));
        }

        List<(string Name, long[] Shape, uint Type, ulong Offset)> infos = [];
        for (ulong i = 0; i < tensors; i++)
        {
            string name = Text(reader);
            long[] shape = [.. Enumerable.Range(0, (int)reader.ReadUInt32()).Select(_ => (long)reader.ReadUInt64())];
            infos.Add((name, shape, reader.ReadUInt32(), reader.ReadUInt64()));
        }

        reader.BaseStream.Position = (reader.BaseStream.Position + 31) / 32 * 32;
        _data = reader.ReadBytes((int)(reader.BaseStream.Length - reader.BaseStream.Position));
        ulong end = 0;
        foreach ((string name, long[] shape, uint type, ulong offset) in infos)
        {
            Assert.Equal(end, offset);
            long count = shape.Aggregate(1L, (product, dimension) => product * dimension);
            end = (offset + (ulong)(type switch { 0 => 4 * count, 8 => count / 32 * 34, _ => 2 * count }) + 31) / 32 * 32;
            Tensors.Add(name, (shape, type, Values((int)offset, (int)count, type)));
        }

        Assert.Equal(end, (ulong)_data.Length);
    }

    public Dictionary<string, object> Metadata { get; } = [];

    /// <summary>Shape (innermost first), type, values.</summary>
    public Dictionary<string, (long[] Shape, uint Type, float[] Values)> Tensors { get; } = [];

    private float[] Values(int at, int count, uint type) => [.. Enumerable.Range(0, count).Select(i => type switch
    {
        0 => BitConverter.ToSingle(_data, at + 4 * i),
        1 => (float)BitConverter.ToHalf(_data, at + 2 * i),
        8 => (float)BitConverter.ToHalf(_data, at + i / 32 * 34) * (sbyte)_data[at + i / 32 * 34 + 2 + i % 32],
        _ => BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(_data, at + 2 * i) << 16),
    })];

    private static object Value(BinaryReader reader, uint type) => type switch
    {
        4 => reader.ReadUInt32(),
        5 => reader.ReadInt32(),
        6 => reader.ReadSingle(),
        7 => reader.ReadByte() != 0,
        8 => Text(reader),
        9 => Array(reader),
        _ => throw new InvalidDataException($"type {type}"),
    };

    private static object[] Array(BinaryReader reader)
    {
        uint type = reader.ReadUInt32();
        ulong count = reader.ReadUInt64();
        return [.. Enumerable.Range(0, (int)count).Select(_ => Value(reader, type))];
    }

    private static string Text(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadUInt64()));
}
