using System.Globalization;
using System.Text;

namespace LangTrain.Core.Models;

/// <summary>A regular file of a tar.</summary>
/// <param name="Name">Path as the archive has it.</param>
/// <param name="Bytes">Size; so many bytes follow in the stream.</param>
internal sealed record TarFile(string Name, long Bytes);

/// <summary>Reads ustar, pax and GNU tar streams from front to back; the caller reads each file's bytes before it asks for the next.</summary>
/// <remarks>
/// Own code and not System.Formats.Tar, which makes room for an extended header of whatever size the archive claims: here names have at most
/// <see cref="MaxNameBytes"/>. Links and devices are refused. Format: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block".
/// </remarks>
internal sealed class TarReader(Stream stream)
{
    private const int Block = 512;
    private const int MaxNameBytes = 64 * 1024;
    private readonly byte[] _header = new byte[Block];
    private long _padding;

    /// <summary>The next regular file; null at the end.</summary>
    /// <exception cref="InvalidDataException">It is no sound tar, or holds what is no plain file or folder.</exception>
    public async Task<TarFile?> NextAsync(CancellationToken cancellation)
    {
        (string? Path, long? Size) extended = default;
        while (true)
        {
            await SkipAsync(_padding, cancellation);
            _padding = 0;
            var read = await stream.ReadAtLeastAsync(_header, Block, throwOnEndOfStream: false, cancellation);
            if (read == 0 || (read == Block && _header.AsSpan().IndexOfAnyExcept((byte)0) < 0))
            {
                return null;
            }

            if (read < Block || !HasItsChecksum())
            {
                throw new InvalidDataException("The tar is broken or ends too early.");
            }

            var size = extended.Size is { } given && _header[156] is not ((byte)'x' or (byte)'g' or (byte)'L' or (byte)'K') ? given : Number(124, 12);
            switch ((char)_header[156])
            {
                case 'x':
                    extended = Pax(await TextAsync(size, cancellation), extended);
                    break;
                case 'L':
                    extended.Path = Encoding.UTF8.GetString(await TextAsync(size, cancellation)).TrimEnd('\0');
                    break;
                case 'g' or 'K':
                    await TextAsync(size, cancellation);
                    break;
                case '5':
                    await SkipAsync(Padded(size), cancellation);
                    extended = default;
                    break;
                case '0' or '\0' or '7':
                    _padding = Padded(size) - size;
                    var name = extended.Path ?? Name();
                    // Old archives write folders as files whose name ends with a slash.
                    if (!name.EndsWith('/'))
                    {
                        return new TarFile(name, size);
                    }

                    extended = default;
                    break;
                default:
                    throw new InvalidDataException($"'{Errors.ApiErrors.Shorten(extended.Path ?? Name())}' is a link or device; an archive of a model has plain files only.");
            }
        }
    }

    private static long Padded(long size) => (size + Block - 1) / Block * Block;

    private bool HasItsChecksum()
    {
        var sum = 0;
        for (var i = 0; i < Block; i++)
        {
            sum += i is >= 148 and < 156 ? ' ' : _header[i];
        }

        return Number(148, 8) == sum;
    }

    private string Name()
    {
        var prefix = _header.AsSpan(257, 5).SequenceEqual("ustar"u8) && _header[262] == 0 ? Text(345, 155) : "";
        return prefix.Length == 0 ? Text(0, 100) : prefix + "/" + Text(0, 100);
    }

    private string Text(int offset, int length) => Encoding.UTF8.GetString(_header.AsSpan(offset, length)).Split('\0')[0];

    private long Number(int offset, int length)
    {
        var field = _header.AsSpan(offset, length);
        if ((field[0] & 0x80) != 0)
        {
            // Base 256, for sizes beyond 8 GiB.
            var value = (long)(field[0] & 0x3F);
            foreach (var part in field[1..])
            {
                value = value < long.MaxValue >> 8 ? (value << 8) | part : throw new InvalidDataException("The tar has an impossible size.");
            }

            return value;
        }

        var text = Encoding.ASCII.GetString(field).Trim('\0', ' ');
        try
        {
            return text.Length == 0 ? 0 : Convert.ToInt64(text, 8);
        }
        catch (Exception fault) when (fault is FormatException or OverflowException)
        {
            throw new InvalidDataException("The tar has an impossible number.", fault);
        }
    }

    private static (string? Path, long? Size) Pax(byte[] records, (string? Path, long? Size) before)
    {
        // "length key=value\n", the length counting itself.
        for (var at = 0; at < records.Length;)
        {
            var space = records.AsSpan(at).IndexOf((byte)' ');
            if (space <= 0 || !int.TryParse(Encoding.ASCII.GetString(records, at, space), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= space + 1 || at + length > records.Length)
            {
                throw new InvalidDataException("The tar has a broken extended header.");
            }

            var record = Encoding.UTF8.GetString(records, at + space + 1, length - space - 2);
            at += length;
            if (record.StartsWith("path=", StringComparison.Ordinal))
            {
                before.Path = record["path=".Length..];
            }
            else if (record.StartsWith("size=", StringComparison.Ordinal))
            {
                before.Size = long.TryParse(record.AsSpan("size=".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var size)
                    ? size
                    : throw new InvalidDataException("The tar has an impossible size.");
            }
        }

        return before;
    }

    private async Task<byte[]> TextAsync(long size, CancellationToken cancellation)
    {
        if (size is < 0 or > MaxNameBytes)
        {
            throw new InvalidDataException($"The tar has an extended header of {size} bytes; {MaxNameBytes} are allowed.");
        }

        var text = new byte[size];
        await ReadAsync(text, cancellation);
        await SkipAsync(Padded(size) - size, cancellation);
        return text;
    }

    private async Task SkipAsync(long count, CancellationToken cancellation)
    {
        var buffer = new byte[Math.Min(count, 1 << 16)];
        for (var left = count; left > 0; left -= Math.Min(left, buffer.Length))
        {
            await ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancellation);
        }
    }

    private async Task ReadAsync(Memory<byte> target, CancellationToken cancellation)
    {
        if (await stream.ReadAtLeastAsync(target, target.Length, throwOnEndOfStream: false, cancellation) < target.Length)
        {
            throw new InvalidDataException("The tar ends too early.");
        }
    }
}
