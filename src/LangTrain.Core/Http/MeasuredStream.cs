using System.Security.Cryptography;
using LangTrain.Core.Errors;

namespace LangTrain.Core.Http;

/// <summary>Passes an upload through, counts and hashes it, and ends it when it grows too large. Read once, by one reader; owns nothing.</summary>
public sealed class MeasuredStream : Stream
{
    private readonly Stream _inner;
    private readonly long _maxBytes;
    private readonly string _what;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>A stream over <paramref name="inner"/>, which stays open.</summary>
    /// <param name="inner">Read to its end.</param>
    /// <param name="maxBytes">Most bytes.</param>
    /// <param name="what">Begins the sentence of the error.</param>
    public MeasuredStream(Stream inner, long maxBytes, string what) => (_inner, _maxBytes, _what) = (inner, maxBytes, what);

    /// <summary>Bytes read so far.</summary>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => Bytes; set => throw new NotSupportedException(); }

    /// <summary>SHA-256 of what was read, lower-case hex. Asked once, at the end.</summary>
    public string Sha256() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    /// <inheritdoc/>
    /// <exception cref="ApiException">413.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await _inner.ReadAsync(buffer, cancellationToken);
        Note(buffer.Span[..read]);
        return read;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    /// <exception cref="ApiException">413.</exception>
    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = _inner.Read(buffer, offset, count);
        Note(buffer.AsSpan(offset, read));
        return read;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _hash.Dispose();
        base.Dispose(disposing);
    }

    private void Note(ReadOnlySpan<byte> read)
    {
        Bytes += read.Length;
        if (Bytes > _maxBytes)
        {
            throw ApiErrors.TooLarge(_what, _maxBytes, "file");
        }

        _hash.AppendData(read);
    }
}
