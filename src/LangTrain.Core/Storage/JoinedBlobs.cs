namespace LangTrain.Core.Storage;

/// <summary>Reads several blobs one after the other as one stream. Not thread-safe.</summary>
internal sealed class JoinedBlobs(IBlobStore blobs, string container, IReadOnlyList<string> blobNames) : ForwardStream
{
    private Stream? _current;
    private int _next;

    /// <exception cref="FileNotFoundException">A blob is not there.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        while (true)
        {
            if (_current is null)
            {
                if (_next == blobNames.Count)
                {
                    return 0;
                }

                _current = await blobs.OpenReadAsync(container, blobNames[_next], 0, cancellationToken)
                    ?? throw new FileNotFoundException("A part is no longer there.", blobNames[_next]);
                _next++;
            }

            var read = await _current.ReadAsync(buffer, cancellationToken);
            if (read > 0)
            {
                return read;
            }

            await _current.DisposeAsync();
            _current = null;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _current?.Dispose();
        }

        base.Dispose(disposing);
    }
}
