using System.Security.Cryptography;
using LangTrain.Core.Errors;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Http;

/// <summary>Passes an upload through, counts and hashes it, and ends it when it grows too large. Read once, by one reader; owns nothing.</summary>
public sealed class MeasuredStream : ForwardStream
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
    /// <exception cref="ApiException">413.</exception>
    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = _inner.Read(buffer, offset, count);
        Note(buffer.AsSpan(offset, read));
        return read;
    }

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
