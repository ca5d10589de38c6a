namespace LangTrain.Core.Datasets;

/// <summary>Where canonical rows go.</summary>
internal interface IRowSink
{
    /// <summary>Takes a row without a line end; copied before it returns.</summary>
    void Write(ReadOnlySpan<byte> row);

    /// <summary>Lets the rows go on their way, waiting while the way is full.</summary>
    ValueTask FlushAsync(CancellationToken cancellation);
}
