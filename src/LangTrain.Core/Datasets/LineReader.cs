using System.IO.Compression;

namespace LangTrain.Core.Datasets;

/// <summary>Cuts a stream into lines in bounded memory: fill, take the lines that are whole, fill again. For one thread.</summary>
/// <remarks>Decompresses what begins with gzip's magic number (RFC 1952, 2.3.1), whatever its name; leaves out a UTF-8 byte order mark.</remarks>
internal sealed class LineReader : IAsyncDisposable
{
    private const int ChunkBytes = 64 << 10, LongestSignature = 4;
    private readonly Stream _content;
    private readonly DatasetLimits _limits;
    private byte[] _buffer = new byte[ChunkBytes];
    private int _start, _scanned, _end;
    private bool _atEnd, _first = true;

    private LineReader(Stream content, DatasetLimits limits)
    {
        _content = content;
        _limits = limits;
    }

    /// <summary>Number of the line given last, from 1.</summary>
    public long LineNumber { get; private set; }

    /// <summary>Bytes read so far, after decompression.</summary>
    public long Bytes { get; private set; }

    /// <summary>Opens a reader over a stream, which stays the caller's to dispose.</summary>
    public static async Task<LineReader> OpenAsync(Stream content, DatasetLimits limits, CancellationToken cancellation)
    {
        var head = new byte[2];
        var got = await content.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellation);
        var whole = new PrefixedStream(head.AsMemory(0, got), content);
        var isGzip = got == 2 && head[0] == 0x1F && head[1] == 0x8B;
        return new LineReader(isGzip ? new GZipStream(whole, CompressionMode.Decompress, leaveOpen: true) : whole, limits);
    }

    /// <summary>Reads on; false when the stream is at its end and every line was given.</summary>
    /// <exception cref="DatasetException">A line or the whole is too long, the compression is broken, or it is another kind of file.</exception>
    public async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (_atEnd)
        {
            return false;
        }

        MakeRoom();
        int got;
        try
        {
            got = await _content.ReadAsync(_buffer.AsMemory(_end), cancellation);
        }
        catch (InvalidDataException broken)
        {
            throw new DatasetException("dataset_invalid", "The dataset begins like a gzip file but cannot be decompressed.", inner: broken);
        }

        _end += got;
        Bytes += got;
        _atEnd = got == 0;
        if (Bytes > _limits.MaxBytes)
        {
            throw new DatasetException("dataset_too_large", $"The dataset has more than {_limits.MaxBytes:N0} bytes after decompression, which is the most.");
        }

        if (_first && (_end - _start >= LongestSignature || _atEnd))
        {
            _first = false;
            var head = _buffer.AsSpan(_start, _end - _start);
            if (OtherKind(head) is { } kind)
            {
                throw new DatasetException("dataset_invalid", $"The dataset is {kind}; it must be JSONL in UTF-8: a text with one JSON object a line, which may be compressed by gzip.");
            }

            if (head.StartsWith("\uFEFF"u8))
            {
                _start += 3;
                _scanned = _start;
            }
        }

        return true;
    }

    /// <summary>The next whole line, without its end; good until the next call of <see cref="FillAsync"/>.</summary>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        var found = _buffer.AsSpan(_scanned, _end - _scanned).IndexOf((byte)'\n');
        if (found < 0 && (!_atEnd || _start == _end))
        {
            _scanned = _end;
            line = default;
            return false;
        }

        var stop = found < 0 ? _end : _scanned + found;
        var length = stop - _start;
        if (length > 0 && _buffer[stop - 1] == (byte)'\r')
        {
            length--;
        }

        line = _buffer.AsMemory(_start, length);
        LineNumber++;
        _start = _scanned = Math.Min(stop + 1, _end);
        return true;
    }

    public ValueTask DisposeAsync() => _content.DisposeAsync();

    /// <summary>What a file is that people take for JSONL, by how it begins; null for anything else.</summary>
    private static string? OtherKind(ReadOnlySpan<byte> head) => head switch
    {
        [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [(byte)'{', 0, ..] or [0, (byte)'{', ..] => "in UTF-16, as Windows tools save texts where not told otherwise (in PowerShell: Set-Content -Encoding utf8)",
        [(byte)'P', (byte)'K', 3, 4, ..] => "a ZIP archive or a spreadsheet",
        [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..] => "a Parquet file",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "compressed by Zstandard",
        [(byte)'B', (byte)'Z', (byte)'h', ..] => "compressed by bzip2",
        [0xFD, (byte)'7', (byte)'z', (byte)'X', ..] => "compressed by XZ",
        [(byte)'%', (byte)'P', (byte)'D', (byte)'F', ..] => "a PDF document",
        _ => null,
    };

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _scanned -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            if (_buffer.Length >= _limits.MaxLineBytes)
            {
                throw new DatasetException("dataset_invalid", $"Line {LineNumber + 1} is longer than {_limits.MaxLineBytes:N0} bytes, which is the most.",
                    [new DatasetProblem(LineNumber + 1, $"longer than {_limits.MaxLineBytes:N0} bytes, which is the most")]);
            }

            Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, Math.Max(_limits.MaxLineBytes, ChunkBytes)));
        }
    }
}
