namespace LangTrain.Core.Datasets;

/// <summary>Body of a fetched answer, with a cap on its size and on the wait for its next byte. Owns the answer.</summary>
internal sealed class FetchedStream(HttpResponseMessage response, Stream body, DatasetLimits limits) : Stream
{
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => _read; set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(limits.IdleTime);
        int got;
        try
        {
            got = await body.ReadAsync(buffer, patience.Token);
        }
        catch (OperationCanceledException failure) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DatasetInterruptedException($"The dataset's server sent nothing for {limits.IdleTime.TotalSeconds:0} seconds.", failure);
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException)
        {
            throw new DatasetInterruptedException("The connection to the dataset's server broke off in the middle.", failure);
        }

        _read += got;
        if (_read > limits.MaxBytes)
        {
            throw new DatasetException("dataset_too_large", $"The dataset has more than {limits.MaxBytes:N0} bytes, which is the most.");
        }

        return got;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read it asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
            response.Dispose();
        }

        base.Dispose(disposing);
    }
}
