using System.Buffers.Binary;
using System.IO.Compression;
using LangTrain.Core.Errors;

namespace LangTrain.Core.Models;

/// <summary>Unpacks an uploaded archive into a folder on this machine, believing nothing that the archive says of itself.</summary>
public static class ModelArchive
{
    /// <summary>Largest model, unpacked.</summary>
    public const long MaxBytes = 64L << 30;

    private const int MaxZipDirectoryBytes = 16 << 20;
    private const int MaxEntries = 10_000;

    /// <summary>Unpacks a zip, tar or tar.gz. The model's files end up directly in the folder; folders below the model's own, and files of no use, are left behind.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="filename">Its name as uploaded.</param>
    /// <param name="folder">An empty folder.</param>
    /// <param name="maxBytes">Most bytes, unpacked.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidDataException">Broken, hostile or too large; the message is for its owner.</exception>
    public static async Task UnpackAsync(string path, string filename, string folder, long maxBytes = MaxBytes, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(filename);
        var target = new Unpacking(Path.GetFullPath(folder), maxBytes);
        try
        {
            await using var file = File.OpenRead(path);
            if (filename.EndsWith(".zip", StringComparison.OrdinalIgnoreCase))
            {
                await UnzipAsync(file, target, cancellation);
            }
            else if (filename.EndsWith(".tar", StringComparison.OrdinalIgnoreCase))
            {
                await UntarAsync(file, target, cancellation);
            }
            else
            {
                await using var unzipped = new GZipStream(file, CompressionMode.Decompress);
                await UntarAsync(unzipped, target, cancellation);
            }
        }
        catch (InvalidDataException fault) when (fault.StackTrace?.Contains("System.IO.Compression", StringComparison.Ordinal) == true)
        {
            throw new InvalidDataException("The archive is broken.", fault);
        }

        target.Finish();
    }

    private static async Task UnzipAsync(FileStream file, Unpacking target, CancellationToken cancellation)
    {
        RequireSmallDirectory(file);
        await using var zip = await ZipArchive.CreateAsync(file, ZipArchiveMode.Read, leaveOpen: true, entryNameEncoding: null, cancellation);
        RequireFew(zip.Entries.Count);
        foreach (var entry in zip.Entries)
        {
            // The upper half of the attributes is the Unix mode where the zip comes from there: 0xA000 is a symbolic link.
            if (((entry.ExternalAttributes >> 16) & 0xF000) == 0xA000)
            {
                throw new InvalidDataException($"'{ApiErrors.Shorten(entry.FullName)}' is a link; an archive of a model has plain files only.");
            }

            if (entry.IsEncrypted)
            {
                throw new InvalidDataException("The archive is encrypted.");
            }

            if (entry.Name.Length > 0)
            {
                await using var content = await entry.OpenAsync(cancellation);
                await target.WriteAsync(entry.FullName, content, long.MaxValue, cancellation);
            }
        }
    }

    private static async Task UntarAsync(Stream stream, Unpacking target, CancellationToken cancellation)
    {
        var tar = new TarReader(stream);
        for (var count = 1; await tar.NextAsync(cancellation) is { } file; count++)
        {
            RequireFew(count);
            if (await target.WriteAsync(file.Name, stream, file.Bytes, cancellation) < file.Bytes)
            {
                throw new InvalidDataException("The tar ends too early.");
            }
        }
    }

    /// <summary>The whole list of a zip's files is read into memory, however long it is: so its length is looked at first.</summary>
    private static void RequireSmallDirectory(FileStream file)
    {
        const int EndBytes = 22, LongestComment = 0xFFFF;
        var tail = new byte[Math.Min(file.Length, EndBytes + LongestComment + 20)];
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        var end = tail.AsSpan().LastIndexOf("PK\x05\x06"u8);
        if (end < 0 || tail.Length - end < EndBytes)
        {
            throw new InvalidDataException("It is not a zip, or it was cut off.");
        }

        long start = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end + 16));
        if (start == uint.MaxValue && end >= 20 && tail.AsSpan(end - 20, 4).SequenceEqual("PK\x06\x07"u8))
        {
            // Zip64: a locator before the end names a record that has the real offset.
            var record = BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(end - 12));
            var large = new byte[56];
            if (record < 0 || record > file.Length - large.Length)
            {
                throw new InvalidDataException("The zip is broken.");
            }

            file.Position = record;
            file.ReadExactly(large);
            start = BinaryPrimitives.ReadInt64LittleEndian(large.AsSpan(48));
        }

        if (start < 0 || start > file.Length || file.Length - start > MaxZipDirectoryBytes)
        {
            throw new InvalidDataException("The zip's list of files is impossible or too long.");
        }

        file.Position = 0;
    }

    private static void RequireFew(int entries)
    {
        if (entries > MaxEntries)
        {
            throw new InvalidDataException($"The archive has more than {MaxEntries} files.");
        }
    }

    private sealed class Unpacking(string folder, long maxBytes)
    {

        // By lower case: two names that are one on some disks are refused on all.
        private readonly Dictionary<string, (string Parent, string Name)> _files = new(StringComparer.OrdinalIgnoreCase);
        private readonly byte[] _buffer = new byte[1 << 16];
        private long _done;

        /// <summary>Writes a file, or reads past it where it is of no use.</summary>
        /// <returns>Bytes read.</returns>
        public async Task<long> WriteAsync(string entryName, Stream content, long bytes, CancellationToken cancellation)
        {
            var (parent, name) = Split(entryName);
            var isWanted = UploadedModelNames.IsModelFile(name) && parent.Count(c => c == '/') <= 1 && !parent.StartsWith("__MACOSX", StringComparison.Ordinal);
            if (isWanted && !_files.TryAdd(parent + name, (parent, name)))
            {
                throw new InvalidDataException($"The archive has '{ApiErrors.Shorten(entryName)}' twice.");
            }

            // Numbered, so that no name of the archive becomes a path before the model's own folder is known.
            await using var file = isWanted ? new FileStream(Path.Combine(folder, Number(_files.Count)), FileMode.CreateNew) : null;
            var done = 0L;
            for (int read; done < bytes && (read = await content.ReadAsync(_buffer.AsMemory(0, (int)Math.Min(_buffer.Length, bytes - done)), cancellation)) > 0; done += read)
            {
                // Counted as it comes: what an archive says of its sizes may be a lie.
                if ((_done += read) > maxBytes)
                {
                    throw new InvalidDataException($"Unpacked, the archive is larger than {maxBytes:N0} bytes.");
                }

                if (file is not null)
                {
                    await file.WriteAsync(_buffer.AsMemory(0, read), cancellation);
                }
            }

            return done;
        }

        /// <summary>Gives the files of the model's folder their names and drops the others.</summary>
        public void Finish()
        {
            var root = _files.Values.Where(file => file.Name is "config.json" or "adapter_config.json").Select(file => file.Parent).OrderBy(parent => parent.Length).FirstOrDefault()
                ?? throw new InvalidDataException($"The archive has no config.json (a model) and no adapter_config.json (an adapter). {UploadedModelNames.HowTo}");
            var number = 0;
            foreach (var (parent, name) in _files.Values)
            {
                var unpacked = Path.Combine(folder, Number(++number));
                if (parent == root)
                {
                    File.Move(unpacked, Path.Combine(folder, name));
                }
                else
                {
                    File.Delete(unpacked);
                }
            }
        }

        // Names of a model have an extension that these do not.
        private static string Number(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture) + ".unpacked";

        private static (string Parent, string Name) Split(string entryName)
        {
            var path = entryName.StartsWith("./", StringComparison.Ordinal) ? entryName[2..] : entryName;
            if (path.Length is 0 or > 1024 || path[0] == '/' || path.Any(c => c is '\\' or ':' || char.IsControl(c)) || path.Split('/').Any(part => part is "" or "." or ".."))
            {
                throw new InvalidDataException($"'{ApiErrors.Shorten(entryName)}' is not a possible path in a model's folder.");
            }

            var slash = path.LastIndexOf('/') + 1;
            return (path[..slash], path[slash..]);
        }
    }
}
