using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using LangTrain.Modeling.Weights.Pickle;
using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// A PyTorch checkpoint (<c>pytorch_model.bin</c>, <c>.pt</c>) opened for reading: the weights of untrusted files without running anything in them.
/// Its pickle is parsed against a list of what tensors and plain containers need; any other name in it refuses the file.
/// </summary>
/// <remarks>
/// Reads the zip layout (PyTorch 1.6 and later) and the older one of consecutive pickles. Not thread-safe. One tensor at a time is in memory. Dispose it when done.
/// </remarks>
public sealed class TorchCheckpointFile : IDisposable
{
    /// <summary>Tied weights appear twice; a file that names its bytes again and again would otherwise fill a disk.</summary>
    private const int MostExpansion = 4;

    private static readonly BigInteger s_oldMagic = new([0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]);
    private readonly FileStream _file;
    private readonly string _name;
    private readonly ZipArchive? _zip;
    private readonly string _folder = "";
    private readonly Dictionary<string, PickleTensor> _tensors = [];
    private readonly Dictionary<string, (long Start, PickleStorage Storage)> _oldStorages = [];

    private TorchCheckpointFile(string path)
    {
        _name = Path.GetFileName(path);
        _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        try
        {
            Span<byte> start = stackalloc byte[LfsPointer.Length];
            start = start[.._file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
            _file.Position = 0;
            LfsPointer.Refuse(start, _name);
            if (start.StartsWith("PK\x03\x04"u8))
            {
                (_zip, _folder) = OpenZip();
                AddTensors(ReadZipPickle());
            }
            else
            {
                AddTensors(ReadOld());
            }

            CheckTotal();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The tensors: name, element type, shape; the offset says nothing here. In the order of the file.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries => [.. _tensors.Select(pair => new SafetensorsEntry(pair.Key, pair.Value.Storage.Dtype, pair.Value.Shape, 0, pair.Value.Count * pair.Value.Storage.Dtype.ElementSize()))];

    /// <summary>Parses and checks the file's description of its tensors.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or describes tensors that its bytes cannot hold.</exception>
    /// <exception cref="UnsupportedModelException">The file refers to something besides tensors and plain containers, or to an element type that is not readable; names it.</exception>
    public static TorchCheckpointFile Open(string path) => new(path);

    /// <summary>Reads one tensor.</summary>
    /// <param name="name">Its key.</param>
    /// <returns>Contiguous, in its stored type, on the CPU; fresh, owned by the caller's scope.</returns>
    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    /// <exception cref="InvalidDataException">The tensor's bytes are not all there.</exception>
    public Tensor Read(string name)
    {
        PickleTensor tensor = _tensors.TryGetValue(name, out PickleTensor? found) ? found : throw new KeyNotFoundException($"{_name} has no tensor '{name}'.");
        using var scope = NewDisposeScope();
        Tensor span = empty([tensor.Span], tensor.Storage.Dtype);
        using (Stream bytes = OpenStorage(tensor.Storage, out long start))
        {
            Skip(bytes, start + tensor.Offset * tensor.Storage.Dtype.ElementSize());
            Fill(span, bytes);
        }

        return (tensor.Count == 0 ? empty(tensor.Shape, tensor.Storage.Dtype) : span.as_strided(tensor.Shape, tensor.Strides).contiguous()).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _zip?.Dispose();
        _file.Dispose();
    }

    /// <summary>The archive and the one folder in it, whose name is free.</summary>
    private (ZipArchive Zip, string Folder) OpenZip()
    {
        ZipArchive zip = new(_file, ZipArchiveMode.Read, leaveOpen: true);
        ZipArchiveEntry[] pickles = [.. zip.Entries.Where(entry => entry.FullName.EndsWith("/data.pkl", StringComparison.Ordinal))];
        if (pickles.Length != 1)
        {
            zip.Dispose();
            throw Bad("it is a zip file without exactly one data.pkl; TorchScript and other archives are not read");
        }

        string folder = pickles[0].FullName[..^"data.pkl".Length];
        if (zip.GetEntry(folder + "byteorder") is { } order)
        {
            using StreamReader reader = new(order.Open());
            char[] start = new char[16];
            if (new string(start, 0, reader.ReadBlock(start)) != "little")
            {
                zip.Dispose();
                throw Bad("its numbers are big-endian");
            }
        }

        return (zip, folder);
    }

    private object? ReadZipPickle()
    {
        using Stream pickle = _zip!.GetEntry(_folder + "data.pkl")!.Open();
        return new PickleMachine(pickle, _name).Read();
    }

    /// <summary>Before 1.6: magic number, version, system, the object, the storages' keys, then each storage's length and elements.</summary>
    private object? ReadOld()
    {
        object? Next() => new PickleMachine(_file, _name).Read();
        if (_file.Length < 16 || Next() is not BigInteger magic || magic != s_oldMagic)
        {
            throw Bad("it is neither a zip file nor an old PyTorch file");
        }

        Next(); // protocol version
        Next(); // byte order and sizes of the machine; everything after PyTorch 0.2 is little-endian
        object? result = Next();
        Dictionary<string, PickleStorage> known = [];
        foreach (PickleTensor tensor in Tensors(result).Values)
        {
            known[tensor.Storage.Key] = tensor.Storage;
        }

        if (Next() is not PickleList keys)
        {
            throw Bad("it does not list its storages");
        }

        Span<byte> prefix = stackalloc byte[8];
        foreach (string key in keys.Items.Select(key => key as string ?? throw Bad("a storage's key is no text")))
        {
            PickleStorage storage = known.GetValueOrDefault(key) ?? throw Bad($"its storage '{key}' belongs to no tensor");
            ReadExactly(_file, prefix);
            if (BinaryPrimitives.ReadInt64LittleEndian(prefix) != storage.Count)
            {
                throw Bad($"its storage '{key}' has another length than its tensors say");
            }

            _oldStorages[key] = (_file.Position, storage);
            long bytes = storage.Count * storage.Dtype.ElementSize();
            _file.Position = bytes <= _file.Length - _file.Position ? _file.Position + bytes : throw Bad("it ends too early");
        }

        return result;
    }

    private void AddTensors(object? root)
    {
        foreach ((string key, PickleTensor tensor) in Tensors(root))
        {
            _tensors.Add(key, tensor);
        }

        if (_tensors.Count == 0)
        {
            throw Bad("it holds no dictionary of tensors");
        }
    }

    /// <summary>The state dictionary: the object itself, or what trainers put under <c>state_dict</c>, <c>model</c> or <c>module</c>.</summary>
    private static Dictionary<string, PickleTensor> Tensors(object? root)
    {
        Dictionary<string, PickleTensor> Own(object? value) => value is PickleDictionary dictionary
            ? dictionary.Items.Where(pair => pair.Value is PickleTensor).ToDictionary(pair => pair.Key, pair => (PickleTensor)pair.Value!)
            : [];
        Dictionary<string, PickleTensor> tensors = Own(root);
        foreach (string key in (ReadOnlySpan<string>)["state_dict", "model", "module"])
        {
            if (tensors.Count == 0 && root is PickleDictionary outer)
            {
                tensors = Own(outer.Items.GetValueOrDefault(key));
            }
        }

        return tensors;
    }

    private void CheckTotal()
    {
        Int128 total = 0;
        foreach (PickleTensor tensor in _tensors.Values)
        {
            total += (Int128)tensor.Count * tensor.Storage.Dtype.ElementSize();
            if (_zip?.GetEntry($"{_folder}data/{tensor.Storage.Key}") is { } entry ? entry.Length < tensor.Storage.Count * (Int128)tensor.Storage.Dtype.ElementSize() : !_oldStorages.ContainsKey(tensor.Storage.Key))
            {
                throw Bad($"the elements of storage '{tensor.Storage.Key}' are not all there");
            }
        }

        if (total > (Int128)MostExpansion * _file.Length)
        {
            throw Bad($"its tensors would take {total} bytes, its own are {_file.Length}");
        }
    }

    private Stream OpenStorage(PickleStorage storage, out long start)
    {
        start = 0;
        if (_zip is not null)
        {
            return _zip.GetEntry($"{_folder}data/{storage.Key}")!.Open();
        }

        start = _oldStorages[storage.Key].Start;
        return new FileStream(_file.Name, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
    }

    private void Fill(Tensor target, Stream from)
    {
        long size = target.element_size(), count = target.numel(), chunk = (1 << 28) / size;
        for (long at = 0; at < count; at += chunk)
        {
            using Tensor part = target.narrow(0, at, Math.Min(chunk, count - at));
            ReadExactly(from, part.bytes);
        }
    }

    private void ReadExactly(Stream from, Span<byte> bytes)
    {
        if (from.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
        {
            throw Bad("it ends too early");
        }
    }

    private void Skip(Stream stream, long count)
    {
        if (stream.CanSeek)
        {
            stream.Position = count;
            return;
        }

        byte[] passed = new byte[1 << 16];
        while (count > 0)
        {
            int read = stream.Read(passed, 0, (int)Math.Min(passed.Length, count));
            count -= read > 0 ? read : throw Bad("it ends too early");
        }
    }

    private InvalidDataException Bad(string what) => new($"{_name} is not a sound PyTorch checkpoint: {what}.");
}
