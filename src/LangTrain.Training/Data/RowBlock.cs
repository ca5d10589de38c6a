using System.Buffers;
using System.IO.Compression;

namespace LangTrain.Training.Data;

/// <summary>Whole lines of a JSONL file, gzip or not, as they stand in it; what is in memory at once of one. Dispose it when its lines are encoded.</summary>
/// <param name="bytes">From the shared pool, owned.</param>
/// <param name="length">How many of them are lines.</param>
/// <param name="firstLine">Number of the first line, counted from 1.</param>
internal sealed class RowBlock(byte[] bytes, int length, long firstLine) : IDisposable
{
    private const int Size = 1 << 19;

    /// <summary>Reads a file block by block; a block is longer only where a line is.</summary>
    /// <exception cref="TrainingDataException">The file is not gzip, or a line is longer than memory may be.</exception>
    public static IEnumerable<RowBlock> Read(string path)
    {
        // No buffer of its own: the blocks are large.
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        using Stream stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
        var (buffer, filled, line) = (ArrayPool<byte>.Shared.Rent(Size), 0, 1L);
        while (true)
        {
            var read = Fill(stream, buffer.AsSpan(filled), line);
            var isLast = read < buffer.Length - filled;
            filled += read;
            var end = isLast ? filled : buffer.AsSpan(0, filled).LastIndexOf((byte)'\n') + 1;
            if (end == 0 && isLast) break;
            var next = ArrayPool<byte>.Shared.Rent(end == 0 ? Doubled(buffer.Length, line) : Size);
            if (next.Length < filled - end)
            {
                ArrayPool<byte>.Shared.Return(next);
                next = ArrayPool<byte>.Shared.Rent(buffer.Length);
            }
            buffer.AsSpan(end, filled - end).CopyTo(next);
            filled -= end;
            if (end == 0)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
            else
            {
                var lines = buffer.AsSpan(0, end).Count((byte)'\n');
                yield return new RowBlock(buffer, end, line);
                line += lines;
            }
            buffer = next;
        }
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>The lines that are not empty, without what ends them, and their numbers.</summary>
    public IEnumerable<(long Number, ReadOnlyMemory<byte> Text)> Lines()
    {
        var number = firstLine;
        for (var start = 0; start < length; number++)
        {
            var end = bytes.AsSpan(start, length - start).IndexOf((byte)'\n') is var found and >= 0 ? start + found : length;
            var text = bytes.AsMemory(start, end - start);
            // A mark at the file's beginning says that it is UTF-8, which it is anyway.
            if (number == 1 && text.Span.StartsWith("\uFEFF"u8)) text = text[3..];
            if (text.Span.IndexOfAnyExcept(" \t\r"u8) >= 0) yield return (number, text);
            start = end + 1;
        }
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => ArrayPool<byte>.Shared.Return(bytes);

    private static int Fill(Stream stream, Span<byte> buffer, long line)
    {
        try
        {
            return stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e)
        {
            throw new TrainingDataException("The file is not valid gzip.", line, e);
        }
    }

    private static int Doubled(int length, long line) => length <= Array.MaxLength / 2 ? length * 2 : throw new TrainingDataException("The line is longer than 1 GB.", line);
}
