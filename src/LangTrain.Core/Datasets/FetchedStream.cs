using LangTrain.Core.Storage;

namespace LangTrain.Core.Datasets;

/// <summary>Body of a fetched answer, with a cap on its size and on the wait for its next byte. Owns the answer.</summary>
internal sealed class FetchedStream(HttpResponseMessage response, Stream body, DatasetLimits limits) : ForwardStream
{
    private long _read;

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
