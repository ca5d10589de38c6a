namespace LangTrain.Core.Storage;

/// <summary>The first bytes of another stream, which it owns. Not thread-safe.</summary>
public sealed class FirstBytesStream(Stream inner, long count) : ForwardStream
{
    private long _left = count;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
        _left -= read;
        return read;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
