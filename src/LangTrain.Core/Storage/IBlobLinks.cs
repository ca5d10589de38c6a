namespace LangTrain.Core.Storage;

/// <summary>Makes addresses under which one blob can be read or written for a short time without a key. Thread-safe. The addresses are secrets: never logged or stored.</summary>
public interface IBlobLinks
{
    /// <summary>An address to read one blob; whether it is there is not looked up.</summary>
    /// <param name="container">Container.</param>
    /// <param name="name">Blob name.</param>
    /// <param name="lifetime">How long it is good for.</param>
    /// <param name="filename">Name under which a browser keeps it.</param>
    /// <param name="cancellation">Stops it.</param>
    Task<Uri> ToReadAsync(string container, string name, TimeSpan lifetime, string filename, CancellationToken cancellation = default);

    /// <summary>An address to which one blob can be written by one PUT with the header <c>x-ms-blob-type: BlockBlob</c>; makes the container when absent.</summary>
    Task<Uri> ToWriteAsync(string container, string name, TimeSpan lifetime, CancellationToken cancellation = default);
}
