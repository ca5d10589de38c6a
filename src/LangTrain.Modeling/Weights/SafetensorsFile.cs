using TorchSharp;
using static TorchSharp.torch;

namespace LangTrain.Modeling;

/// <summary>
/// A safetensors file opened for reading. The file is memory-mapped: a tensor costs nothing until its bytes are copied to where they are needed.
/// </summary>
/// <remarks>Not thread-safe. Dispose it when loading is done; views handed out keep the mapping alive until they are disposed.</remarks>
public sealed class SafetensorsFile : IDisposable
{
    private readonly SafetensorsHeader _header;
    private readonly Dictionary<string, SafetensorsEntry> _entries;
    private readonly Dictionary<ScalarType, Tensor> _maps = [];
    private readonly string _path;
    private readonly long _fileBytes;

    private SafetensorsFile(string path, SafetensorsHeader header)
    {
        _path = path;
        _header = header;
        // Not what the folder says of it: that is the length of a link where the file is one, as in Hugging Face's cache.
        _fileBytes = header.DataStart + header.Entries.Sum(entry => entry.ByteCount);
        _entries = header.Entries.ToDictionary(entry => entry.Name);
    }

    /// <summary>Tensors in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries => _header.Entries;

    /// <summary>The header's <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Reads and checks the header.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The file is truncated, or its header does not describe its data exactly (overlap, hole, wrong size, duplicate).</exception>
    /// <exception cref="UnsupportedModelException">A tensor's element type is not readable; says which.</exception>
    public static SafetensorsFile Open(string path) => new(path, SafetensorsHeader.Read(path));

    /// <summary>Whether the file has the tensor.</summary>
    /// <param name="name">Its key.</param>
    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>The tensor's header entry.</summary>
    /// <param name="name">Its key.</param>
    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    public SafetensorsEntry this[string name] => _entries.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw new KeyNotFoundException($"{Path.GetFileName(_path)} has no tensor '{name}'.");

    /// <summary>A tensor on the file's pages, in its stored type, on the CPU. Copy it before writing to it.</summary>
    /// <param name="name">Its key.</param>
    /// <returns>A fresh view, owned by the caller's scope.</returns>
    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    public Tensor View(string name)
    {
        SafetensorsEntry entry = this[name];
        long size = entry.Dtype.ElementSize(), start = _header.DataStart + entry.Offset;
        long[] shape = [.. entry.Shape];
        if (entry.ByteCount == 0)
        {
            return empty(shape, entry.Dtype);
        }

        return start % size == 0 ? Map(entry.Dtype, size).narrow(0, start / size, entry.ByteCount / size).view(shape) : ReadUnaligned(entry, start);
    }

    /// <summary>A fresh copy of the tensor.</summary>
    /// <param name="name">Its key.</param>
    /// <param name="dtype">Element type wanted; null keeps the stored one.</param>
    /// <param name="device">Where it is wanted; null is the CPU.</param>
    /// <returns>Owned by the caller's scope.</returns>
    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    public Tensor Read(string name, ScalarType? dtype = null, Device? device = null)
    {
        using Tensor view = View(name);
        return view.to(dtype ?? view.dtype, device ?? CPU, copy: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor map in _maps.Values)
        {
            map.Dispose();
        }

        _maps.Clear();
    }

    /// <summary>The whole file as one tensor of the type (one mapping a type, made when first needed).</summary>
    private Tensor Map(ScalarType dtype, long size)
    {
        if (!_maps.TryGetValue(dtype, out Tensor? map))
        {
            map = from_file(_path, shared: false, size: _fileBytes / size, dtype: dtype).DetachFromDisposeScope();
            _maps.Add(dtype, map);
        }

        return map;
    }

    /// <summary>A header of odd length leaves the data unaligned for a typed view; such files are rare, so they are simply copied.</summary>
    private Tensor ReadUnaligned(SafetensorsEntry entry, long start)
    {
        using FileStream file = new(_path, FileMode.Open, FileAccess.Read, FileShare.Read);
        file.Position = start;
        Tensor result = empty([.. entry.Shape], entry.Dtype);
        using Tensor flat = result.view(-1);
        long size = entry.Dtype.ElementSize(), count = entry.ByteCount / size, chunk = (1 << 28) / size;
        for (long at = 0; at < count; at += chunk)
        {
            using Tensor part = flat.narrow(0, at, Math.Min(chunk, count - at));
            file.ReadExactly(part.bytes);
        }

        return result;
    }
}
