namespace LangTrain.Core.Datasets;

/// <summary>Checks a dataset without keeping it: for <c>POST /files/{id}/validate</c> and for estimates. Thread-safe.</summary>
public sealed class CheckDataset(DatasetLimits limits)
{
    /// <summary>Reads all of a stream (JSONL, perhaps gzip, which stays the caller's) and says what is in it.</summary>
    /// <exception cref="DatasetException">The file is too large or cannot be decompressed.</exception>
    public Task<DatasetReport> ExecuteAsync(Stream content, DatasetOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(options);
        return new DatasetReader(limits, options).ReadAsync(content, training: null, evaluation: null, other: null, cancellation);
    }
}
