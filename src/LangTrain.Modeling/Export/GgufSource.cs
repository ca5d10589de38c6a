using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>Reads a GGUF file, version 3, as <see cref="GgufFile"/> writes it: texts of some keys, and tensors one by one. Nothing in it is believed before it fits the file.</summary>
internal sealed class GgufSource : IDisposable
{
    private const int Alignment = 32;
    private readonly FileStream _file;
    private readonly BinaryReader _reader;
    private readonly string _name;
    private readonly Dictionary<string, Entry> _tensors = [];
    private long _dataStart;

    private GgufSource(string path)
    {
        _name = Path.GetFileName(path);
        _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        _reader = new BinaryReader(_file, Encoding.UTF8, leaveOpen: true);
    }

    /// <summary>The texts asked for.</summary>
    public Dictionary<string, string> Texts { get; } = [];

    /// <summary>Element type that the tensors are to have in a folder.</summary>
    public ScalarType Dtype { get; private set; } = ScalarType.Float32;

    /// <param name="path">The file.</param>
    /// <param name="wanted">Which metadata texts are kept.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static GgufSource Open(string path, Func<string, bool> wanted)
    {
        var source = new GgufSource(path);
        try
        {
            source.ReadHeader(wanted);
            return source;
        }
        catch (EndOfStreamException)
        {
            source.Dispose();
            throw source.Bad("it ends too early");
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <exception cref="InvalidDataException">The file has no such tensor.</exception>
    public Entry Find(string name) => _tensors.TryGetValue(name, out Entry? entry) ? entry : throw Bad($"it has no tensor '{name}'");

    /// <returns>In its stored type, Q8_0 as Float32; owned by the caller's scope.</returns>
    public Tensor Read(Entry entry)
    {
        _file.Position = _dataStart + entry.Offset;
        Tensor result = empty(entry.Shape, entry.Type switch { GgufType.F16 => ScalarType.Float16, GgufType.BF16 => ScalarType.BFloat16, _ => ScalarType.Float32 });
        using Tensor flat = result.view(-1);
        long count = flat.numel(), chunk = 1 << 26;
        for (long at = 0; at < count; at += chunk)
        {
            using Tensor part = flat.narrow(0, at, Math.Min(chunk, count - at));
            if (entry.Type == GgufType.Q8_0)
            {
                ReadQ8(MemoryMarshal.Cast<byte, float>(part.bytes));
            }
            else
            {
                _file.ReadExactly(part.bytes);
            }
        }

        return result;
    }

    public void Dispose()
    {
        _reader.Dispose();
        _file.Dispose();
    }

    private void ReadQ8(Span<float> values)
    {
        Span<byte> block = stackalloc byte[34];
        for (int at = 0; at < values.Length; at += 32)
        {
            _file.ReadExactly(block);
            float scale = (float)BitConverter.ToHalf(block);
            for (int i = 0; i < 32; i++)
            {
                values[at + i] = scale * (sbyte)block[2 + i];
            }
        }
    }

    private void ReadHeader(Func<string, bool> wanted)
    {
        if (_file.Length < 24 || !_reader.ReadBytes(4).AsSpan().SequenceEqual("GGUF"u8) || _reader.ReadUInt32() != 3)
        {
            throw Bad("it is no GGUF file of version 3");
        }

        ulong tensors = Counted(_reader.ReadUInt64(), 24), keys = Counted(_reader.ReadUInt64(), 12);
        for (ulong i = 0; i < keys; i++)
        {
            string key = Text();
            uint type = _reader.ReadUInt32();
            if (type == 8 && wanted(key))
            {
                Texts[key] = Text();
            }
            else if (type == 4 && key == "general.file_type")
            {
                Dtype = _reader.ReadUInt32() switch { 1 => ScalarType.Float16, 32 => ScalarType.BFloat16, _ => ScalarType.Float32 };
            }
            else
            {
                Skip(type);
            }
        }

        for (ulong i = 0; i < tensors; i++)
        {
            Entry entry = ReadEntry();
            if (!_tensors.TryAdd(entry.Name, entry))
            {
                throw Bad($"it has two tensors '{entry.Name}'");
            }
        }

        _dataStart = (_file.Position + Alignment - 1) / Alignment * Alignment;
        if (_tensors.Values.FirstOrDefault(entry => entry.Offset > _file.Length - _dataStart - entry.ByteCount) is { } beyond)
        {
            throw Bad($"'{beyond.Name}' lies beyond its end");
        }
    }

    private Entry ReadEntry()
    {
        string name = Text();
        uint rank = _reader.ReadUInt32();
        if (rank is 0 or > 4)
        {
            throw Bad($"'{name}' has {rank} dimensions");
        }

        long[] shape = new long[rank];
        Int128 count = 1;
        for (int i = (int)rank - 1; i >= 0; i--)
        {
            ulong size = _reader.ReadUInt64();
            if (size is 0 or > int.MaxValue || (count *= size) > 8 * (Int128)_file.Length)
            {
                throw Bad($"'{name}' has a dimension of {size}");
            }

            shape[i] = (long)size; // innermost first in the file
        }

        GgufType type = _reader.ReadUInt32() switch
        {
            0 => GgufType.F32,
            1 => GgufType.F16,
            8 when shape[^1] % 32 == 0 => GgufType.Q8_0,
            30 => GgufType.BF16,
            uint other => throw new UnsupportedModelException(null, $"{_name}: '{name}' is stored in type {other}; readable are F32, F16, BF16 and Q8_0."),
        };
        ulong offset = _reader.ReadUInt64();
        long bytes = (long)(type switch { GgufType.F32 => 4 * count, GgufType.Q8_0 => count / 32 * 34, _ => 2 * count });
        return offset <= (ulong)_file.Length && bytes <= _file.Length ? new Entry(name, shape, type, (long)offset, bytes) : throw Bad($"'{name}' lies beyond its end");
    }

    private void Skip(uint type)
    {
        if (type == 8)
        {
            Forward(Counted(_reader.ReadUInt64(), 1));
        }
        else if (type == 9)
        {
            uint element = _reader.ReadUInt32();
            ulong count = Counted(_reader.ReadUInt64(), element == 8 ? 8 : Size(element));
            if (element != 8)
            {
                Forward(count * (ulong)Size(element));
            }

            for (ulong i = 0; i < count && element == 8; i++)
            {
                Skip(8);
            }
        }
        else
        {
            Forward((ulong)Size(type));
        }
    }

    private void Forward(ulong bytes) => _file.Seek((long)bytes, SeekOrigin.Current);

    private int Size(uint type) => type switch { 0 or 1 or 7 => 1, 2 or 3 => 2, 4 or 5 or 6 => 4, 10 or 11 or 12 => 8, _ => throw Bad($"it has metadata of type {type}") };

    private string Text() => Encoding.UTF8.GetString(_reader.ReadBytes((int)Math.Min(Counted(_reader.ReadUInt64(), 1), int.MaxValue)));

    /// <summary>A number of things that cannot be more than what is left of the file.</summary>
    private ulong Counted(ulong count, int bytesEach) => count <= (ulong)(_file.Length - _file.Position) / (ulong)bytesEach ? count : throw Bad($"it claims {count} things and has no room for them");

    private InvalidDataException Bad(string what) => new($"{_name} is not a sound GGUF file: {what}.");

    /// <summary>One tensor.</summary>
    /// <param name="Name">llama.cpp's name.</param>
    /// <param name="Shape">Outermost first.</param>
    /// <param name="Type">How it is stored.</param>
    /// <param name="Offset">From the start of the data.</param>
    /// <param name="ByteCount">Its bytes.</param>
    public sealed record Entry(string Name, long[] Shape, GgufType Type, long Offset, long ByteCount);
}
