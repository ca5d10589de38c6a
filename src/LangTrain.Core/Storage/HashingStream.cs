using System.Security.Cryptography;

namespace LangTrain.Core.Storage;

/// <summary>Reads another stream, from its place to its end, and hashes what passes. Does not own it. Not thread-safe.</summary>
internal sealed class HashingStream(Stream inner, HashAlgorithmName algorithm) : ForwardStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(algorithm);

    /// <summary>A stream that hashes by SHA-256.</summary>
    public HashingStream(Stream inner)
        : this(inner, HashAlgorithmName.SHA256)
    {
    }

    /// <summary>Hash of what was read since the last call, lower-case hex.</summary>
    public string Hash() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        _hash.AppendData(buffer[..read]);
        return read;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        _hash.AppendData(buffer.Span[..read]);
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }
}
