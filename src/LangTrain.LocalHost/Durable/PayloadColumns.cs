using System.Globalization;
using Azure.Data.Tables;
using Azure.Storage.Blobs;

namespace LangTrain.LocalHost.Durable;

/// <summary>
/// Puts texts of any length into a table row: cut into columns (a column holds 32K characters at most), or as a blob where it is longer
/// than its share of the row. A blob is written before the row that names it, so a row never names what is not there.
/// </summary>
internal sealed class PayloadColumns(BlobContainerClient blobs)
{
    private const int ColumnLength = 31_000;
    private const string BlobSuffix = "Blob";

    /// <summary>Writes a text; null writes nothing.</summary>
    /// <param name="row">The row.</param>
    /// <param name="column">Begins the names of the columns.</param>
    /// <param name="text">The text.</param>
    /// <param name="longest">Characters that may stay in the row; a row holds 1 MB, two bytes a character.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task WriteAsync(TableEntity row, string column, string? text, int longest, CancellationToken cancellation)
    {
        if (text is null)
        {
            return;
        }

        if (text.Length > longest)
        {
            var name = $"{row.PartitionKey}/{Guid.NewGuid():N}";
            await blobs.GetBlobClient(name).UploadAsync(BinaryData.FromString(text), overwrite: true, cancellation);
            row[column + BlobSuffix] = name;
            return;
        }

        for (var (start, index) = (0, 0); start < text.Length || index == 0; start += ColumnLength, index++)
        {
            row[Column(column, index)] = text.Substring(start, Math.Min(ColumnLength, text.Length - start));
        }
    }

    /// <summary>Reads a text; null where there is none.</summary>
    public async Task<string?> ReadAsync(TableEntity row, string column, CancellationToken cancellation)
    {
        if (row.GetString(column + BlobSuffix) is { } blob)
        {
            var content = await blobs.GetBlobClient(blob).DownloadContentAsync(cancellation);
            return content.Value.Content.ToString();
        }

        var first = row.GetString(Column(column, 0));
        if (first is null || row.GetString(Column(column, 1)) is null)
        {
            return first;
        }

        return string.Concat(Enumerable.Range(0, int.MaxValue).Select(index => row.GetString(Column(column, index))).TakeWhile(part => part is not null));
    }

    /// <summary>Deletes the blobs of an instance.</summary>
    public async Task DeleteAllAsync(string partition, CancellationToken cancellation)
    {
        await foreach (var blob in blobs.GetBlobsAsync(
            Azure.Storage.Blobs.Models.BlobTraits.None, Azure.Storage.Blobs.Models.BlobStates.None, partition + "/", cancellation))
        {
            await blobs.DeleteBlobIfExistsAsync(blob.Name, cancellationToken: cancellation);
        }
    }

    private static string Column(string name, int index) => name + index.ToString(CultureInfo.InvariantCulture);
}
