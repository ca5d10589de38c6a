using System.IO.Pipelines;
using System.Security.Cryptography;
using LangTrain.Core.Storage;

namespace LangTrain.Core.Datasets;

/// <summary>Writes rows to a blob while they come, in bounded memory. For one thread; the blob appears only by <see cref="CompleteAsync"/>.</summary>
internal sealed class BlobRowSink : IRowSink, IAsyncDisposable
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 1 << 19, useSynchronizationContext: false));
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Task _upload;
    private bool _completed;

    private BlobRowSink(IBlobStore blobs, string container, string name, CancellationToken cancellation) =>
        _upload = UploadAsync(blobs, container, name, cancellation);

    /// <summary>Bytes written.</summary>
    public long Bytes { get; private set; }

    /// <summary>Begins a blob.</summary>
    public static BlobRowSink Open(IBlobStore blobs, string container, string name, CancellationToken cancellation) =>
        new(blobs, container, name, cancellation);

    public void Write(ReadOnlySpan<byte> row)
    {
        var target = _pipe.Writer.GetSpan(row.Length + 1);
        row.CopyTo(target);
        target[row.Length] = (byte)'\n';
        _hash.AppendData(target[..(row.Length + 1)]);
        _pipe.Writer.Advance(row.Length + 1);
        Bytes += row.Length + 1;
    }

    public async ValueTask FlushAsync(CancellationToken cancellation)
    {
        var result = await _pipe.Writer.FlushAsync(cancellation);
        if (result.IsCompleted)
        {
            // The upload has ended before the rows: it says why.
            await _upload;
            throw new IOException("The blob's upload ended before its rows.");
        }
    }

    /// <summary>Ends the blob, which is then whole.</summary>
    /// <returns>SHA-256 of its content, lower-case hex.</returns>
    public async Task<string> CompleteAsync()
    {
        _completed = true;
        await _pipe.Writer.CompleteAsync();
        await _upload;
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    /// <summary>Gives up on a blob that was not completed: nothing of it is stored.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_completed)
        {
            await _pipe.Writer.CompleteAsync(new OperationCanceledException("The dataset was given up."));
            try
            {
                await _upload;
            }
            catch (Exception)
            {
                // Whatever ended the upload, the caller is on its way out with the reason.
            }
        }

        _hash.Dispose();
    }

    private async Task UploadAsync(IBlobStore blobs, string container, string name, CancellationToken cancellation)
    {
        try
        {
            await blobs.WriteAsync(container, name, _pipe.Reader.AsStream(leaveOpen: true), overwrite: true, cancellation);
        }
        finally
        {
            // Frees a writer that waits for room, also when storage failed.
            await _pipe.Reader.CompleteAsync();
        }
    }
}
