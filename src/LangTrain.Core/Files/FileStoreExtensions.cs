using LangTrain.Core.Storage;

namespace LangTrain.Core.Files;

/// <summary>Writing of files that the service makes itself.</summary>
public static class FileStoreExtensions
{
    /// <summary>Writes a row unless one of its id is there: of a step that runs twice, the first stays.</summary>
    public static async Task CreateIfMissingAsync(this IFileStore store, StoredFile file, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        try
        {
            await store.CreateAsync(file, cancellation);
        }
        catch (AlreadyExistsException)
        {
            // The run before died after this.
        }
    }
}
